import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linesMatching, textOf, trackedFiles } from './repository-files.ts';

/** In parts, so that this file does not name them either. */
const hosts = [
  ['registry', 'npmjs', 'org'],
  ['registry', 'yarnpkg', 'com'],
  ['docker', 'io/'],
  ['ghcr', 'io'],
  ['quay', 'io'],
  ['deb', 'debian', 'org'],
  ['security', 'debian', 'org'],
  ['archive', 'ubuntu', 'com'],
  ['pypi', 'org'],
  ['pythonhosted', 'org'],
  ['rubygems', 'org'],
  ['packagist', 'org'],
].map((parts) => parts.join('.'));

test('no tracked file names the host of a registry or mirror: those are settings of the machine', () => {
  const pattern = new RegExp(hosts.map((host) => host.replaceAll('.', '\\.')).join('|'), 'i');
  const texts = trackedFiles().filter((path) => !textOf(path).includes('\0'));
  assert.deepEqual(linesMatching(texts, pattern), []);
});

test('the lock file of npm holds no addresses', () => {
  assert.deepEqual(linesMatching(['package-lock.json'], /"resolved":\s*"[a-z+]+:/), []);
});

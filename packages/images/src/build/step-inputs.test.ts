import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceEntry } from '@coppice/model';
import { selectInputs } from './step-inputs.ts';

const paths = ['package.json', 'package-lock.json', 'packages', 'packages/a/package.json', 'packages/a/src/x.ts', 'vendor/deep/er/lib.js'];
const entries = paths.map((path): SourceEntry => ({ path, kind: path === 'packages' ? 'folder' : 'file', id: path, size: 1 }));
const select = (...inputs: string[]) => selectInputs(entries, inputs).map((entry) => entry.path);

test('paths, folders and globs select what they name, and what is missing is no error', () => {
  assert.deepEqual(select('package.json', 'npm-shrinkwrap.json'), ['package.json']);
  assert.deepEqual(select('./package*.json'), ['package.json', 'package-lock.json']);
  assert.deepEqual(select('packages/*/package.json'), ['packages/a/package.json']);
  assert.deepEqual(select('vendor/'), ['vendor/deep/er/lib.js']);
  assert.deepEqual(select('**/package.json'), ['package.json', 'packages/a/package.json']);
  assert.deepEqual(select('packages/**'), ['packages/a/package.json', 'packages/a/src/x.ts']);
  assert.deepEqual(select('vendor/**/lib.?s'), ['vendor/deep/er/lib.js']);
  assert.deepEqual(select('*.md'), []);
  assert.deepEqual(select('**').length, 5);
});

test('a hostile glob is answered at once', () => {
  const entry: SourceEntry = { path: `${'a/'.repeat(200)}${'a'.repeat(2000)}`, kind: 'file', id: 'x', size: 1 };
  const started = performance.now();
  assert.deepEqual(selectInputs([entry], [`${'**/'.repeat(100)}${'*a'.repeat(500)}b`]), []);
  assert.ok(performance.now() - started < 1000);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, nodeNamePattern, parseDigest, parseGitId, sha256, shortDigest } from './identifiers.ts';

test('a digest has the form of the OCI specification, over bytes and UTF-8 text alike', () => {
  const empty = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  assert.equal(sha256(''), empty);
  assert.equal(sha256(new Uint8Array()), empty);
  assert.equal(sha256('é'), sha256(Buffer.from('é', 'utf8')));
  assert.equal(shortDigest(sha256('')), 'e3b0c44298fc');
});

test('equal values have equal digests, whatever the order of their keys', () => {
  assert.equal(digestOf({ a: 1, b: [2] }), digestOf({ b: [2], a: 1, c: undefined }));
  assert.notEqual(digestOf({ a: 1 }), digestOf({ a: '1' }));
});

test('only whole, lower-case ids are parsed', () => {
  const hex = 'a'.repeat(64);
  assert.equal(parseDigest(`sha256:${hex}`), `sha256:${hex}`);
  for (const text of [hex, `sha256:${hex.toUpperCase()}`, `sha256:${hex}\n`, `sha512:${hex}`, ''])
    assert.equal(parseDigest(text), undefined);
  assert.equal(parseGitId('b'.repeat(40)), 'b'.repeat(40));
  for (const text of ['b'.repeat(39), 'B'.repeat(40), `${'b'.repeat(40)}\n`]) assert.equal(parseGitId(text), undefined);
});

test('names of nodes are labels, those of workers included', () => {
  for (const name of ['web', 'web--worker', 'a', 'a1_b']) assert.match(name, nodeNamePattern);
  for (const name of ['', '-web', 'web-', 'Web', '1web', 'we b', 'w/b', '../x', 'web\n']) assert.doesNotMatch(name, nodeNamePattern);
});

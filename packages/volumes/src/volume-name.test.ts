import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeVolumeName, encodeVolumeName } from './volume-name.ts';

test('any name comes back from its folder name, which is neither hidden nor a path', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (name) => {
      const folder = encodeVolumeName(name);
      assert.match(folder, /^[A-Za-z0-9_%-][A-Za-z0-9._%-]*$/);
      assert.equal(decodeVolumeName(folder), name);
    }),
  );
});

test('folder names that we would not make stand for no volume', () => {
  const names = ['', '.', '..', '.x', 'a b', '%', '%2f', '%41', 'a/b', 'lost+found', '%FF'];
  assert.deepEqual(
    names.filter((name) => decodeVolumeName(name) !== undefined),
    [],
  );
});

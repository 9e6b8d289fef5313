import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoppiceError, formatDiagnostic, type SourceEntry, type SourceTree, type TypeDirectory } from '@coppice/model';
import { readTopology } from './read-configuration.ts';

const site = `applications:\n  site:\n    image: example/site@sha256:${'a'.repeat(64)}\n    source: { root: public }\n`;
const types: TypeDirectory = new Map();

type File = { readonly kind: SourceEntry['kind']; readonly text?: string; readonly size?: number };

function tree(files: Readonly<Record<string, File>>): SourceTree {
  const all = Object.entries(files).map(([path, { kind, text = '', size = text.length }]): SourceEntry => ({ path, kind, id: path, size }));
  return {
    id: 'f'.repeat(40),
    async *entries() {
      yield* all;
    },
    blob: async (id) => Buffer.from(files[id]?.text ?? ''),
    subtree: async () => undefined,
    entry: async (path) => all.find((entry) => entry.path === path),
  };
}

async function refusal(files: Readonly<Record<string, File>>): Promise<readonly string[]> {
  try {
    await readTopology(tree(files), types);
  } catch (error) {
    if (!(error instanceof CoppiceError)) throw error;
    assert.equal(error.code, 'invalid-configuration');
    return error.diagnostics.map(formatDiagnostic);
  }
  return [];
}

test('a file that is a symbolic link or a folder is refused at its place', async () => {
  assert.deepEqual(await refusal({ 'coppice.yaml': { kind: 'symlink' } }), [
    'coppice.yaml:1:1  coppice.yaml is a symbolic link, but must be a regular file; commit the file itself in its place',
  ]);
  assert.deepEqual(await refusal({ 'coppice.yaml': { kind: 'file', text: site }, '.coppice': { kind: 'symlink' } }), [
    '.coppice:1:1  .coppice is a symbolic link, but must be a folder; commit the file itself in its place',
  ]);
});

test('a file that is too large is refused without being read', async () => {
  assert.deepEqual(await refusal({ 'coppice.yaml': { kind: 'file', size: 10_000_000 } }), [
    'coppice.yaml:1:1  the file has 10000000 bytes; at most 262144 are read (256 KiB); long files can be split into .coppice/*.yaml',
  ]);
});

test('a source root that is no folder of the commit is refused where it stands', async () => {
  assert.deepEqual(await refusal({ 'coppice.yaml': { kind: 'file', text: site } }), [
    'coppice.yaml:4:21  root: the commit has no folder "public"; name a folder of the commit, relative to its root',
  ]);
  assert.deepEqual(await refusal({ 'coppice.yaml': { kind: 'file', text: site }, public: { kind: 'symlink' } }), [
    'coppice.yaml:4:21  root: "public" is a symbolic link in the commit; name a folder of the commit, relative to its root',
  ]);
});

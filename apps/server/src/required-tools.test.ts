import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { missingTools } from './required-tools.ts';

const all = ['git', 'haproxy', 'mmdebstrap', 'nft'];

function folderWith(t: TestContext, programs: readonly string[], mode = 0o755): string {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-tools-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const program of programs) writeFileSync(join(folder, program), '', { mode });
  return folder;
}

test('a machine that has all lacks nothing, wherever they lie', (t) => {
  const path = [folderWith(t, ['git', 'nft']), folderWith(t, ['mmdebstrap'])].join(delimiter);
  assert.deepEqual(missingTools(path, [folderWith(t, ['haproxy'])]), []);
});

test('what is missing is told with the package it comes from', (t) => {
  assert.deepEqual(missingTools(folderWith(t, ['git', 'haproxy']), []), [
    { program: 'mmdebstrap', debianPackage: 'mmdebstrap' },
    { program: 'nft', debianPackage: 'nftables' },
  ]);
});

test('a file that cannot be run, and a folder of that name, are no programs', (t) => {
  const path = folderWith(t, ['git', 'haproxy'], 0o644);
  for (const name of ['mmdebstrap', 'nft']) mkdirSync(join(path, name));
  assert.deepEqual(
    missingTools(path, []).map(({ program }) => program),
    all,
  );
});

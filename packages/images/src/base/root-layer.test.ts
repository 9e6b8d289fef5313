import assert from 'node:assert/strict';
import { chmod, link, lutimes, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { sha256 } from '@coppice/model';
import { extract } from 'tar-stream';
import { writeRootLayer } from './root-layer.ts';

const scratch = await mkdtemp(join(tmpdir(), 'coppice-root-layer-'));
after(() => rm(scratch, { recursive: true, force: true }));
const beganSeconds = 2_000_000_000;

async function makeRoot(name: string, builtSeconds: number): Promise<string> {
  const root = join(scratch, name);
  await mkdir(join(root, 'etc'), { recursive: true });
  await mkdir(join(root, 'var/log'), { recursive: true });
  await writeFile(join(root, 'etc/tool.py'), 'print()');
  await chmod(join(root, 'etc/tool.py'), 0o4755);
  await writeFile(join(root, 'etc/large'), Buffer.alloc(1024 * 1024, 7));
  await link(join(root, 'etc/large'), join(root, 'etc/large-too'));
  await writeFile(join(root, 'var/log/build.log'), name);
  await symlink('etc/tool.py', join(root, 'link'));
  await utimes(join(root, 'etc/tool.py'), 1_500_000_000.7, 1_500_000_000.7);
  await lutimes(join(root, 'link'), builtSeconds, builtSeconds);
  for (const path of ['etc/large', 'etc', 'var/log', 'var']) await utimes(join(root, path), builtSeconds, builtSeconds);
  return root;
}

const pack = async (folder: string, file: string) =>
  writeRootLayer(
    { folder, prefix: '', isKept: (path) => !path.startsWith('var/log/'), removed: ['etc/gone', 'old'], beganSeconds },
    join(scratch, file),
  );

test('equal roots give equal bytes, whenever they were built, and the digest is that of the file', async () => {
  const first = await pack(await makeRoot('first', beganSeconds + 1), 'first.tar');
  const second = await pack(await makeRoot('second', beganSeconds + 5000), 'second.tar');
  assert.deepEqual(first, second);
  const bytes = await readFile(join(scratch, 'first.tar'));
  assert.deepEqual(first, { digest: sha256(bytes), size: bytes.length });
});

test('modes, links, hard links and times inside packages stay; what is removed becomes a whiteout', async () => {
  await pack(await makeRoot('third', beganSeconds + 9), 'third.tar');
  const entries: string[] = [];
  const reader = extract();
  reader.end(await readFile(join(scratch, 'third.tar')));
  for await (const entry of reader) {
    const { name, type, mode, mtime, linkname, size } = entry.header;
    entries.push(`${type} ${name} ${mode.toString(8)} ${mtime.getTime() / 1000} ${size}${linkname ? ` -> ${linkname}` : ''}`);
    entry.resume();
  }
  const fixed = 315_532_800;
  assert.deepEqual(entries, [
    `file .wh.old 600 ${fixed} 0`,
    `directory etc/ 755 ${fixed} 0`,
    `file etc/.wh.gone 600 ${fixed} 0`,
    `file etc/large 644 ${fixed} 1048576`,
    `link etc/large-too 644 ${fixed} 0 -> etc/large`,
    'file etc/tool.py 4755 1500000000 7',
    `symlink link 777 ${fixed} 0 -> etc/tool.py`,
    `directory var/ 755 ${fixed} 0`,
    `directory var/log/ 755 ${fixed} 0`,
  ]);
});

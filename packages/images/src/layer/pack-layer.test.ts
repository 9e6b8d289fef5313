import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, open, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { isCoppiceError, sha256 } from '@coppice/model';
import { extract } from 'tar-stream';
import { hashLayer } from '../testing/hash-layer.ts';
import { folderLayer } from './folder-entries.ts';
import type { LayerEntry } from './layer-entry.ts';
import { packLayer } from './pack-layer.ts';
import { walkFolder } from './walk-folder.ts';

const root = await mkdtemp(join(tmpdir(), 'coppice-layer-'));
after(() => rm(root, { recursive: true, force: true }));

const longName = `${'deep/'.repeat(40)}${'n'.repeat(200)}.txt`;
const files: readonly (readonly [string, string])[] = [
  ['server.js', 'listen()'],
  ['a-b', 'sorts before a/'],
  ['a/x', 'sorts after a-b'],
  [longName, 'long'],
  ['ünï/\u{1f333}.txt', 'tree'],
  ['ünï/\uffee.txt', 'by bytes before the tree, by UTF-16 units after it'],
];

async function writeTree(folder: string, order: readonly (readonly [string, string])[], time: Date): Promise<void> {
  for (const [path, content] of order) {
    await mkdir(join(folder, dirname(path)), { recursive: true });
    await writeFile(join(folder, path), content);
    await utimes(join(folder, path), time, time);
  }
  await chmod(join(folder, 'server.js'), 0o700);
  await mkdir(join(folder, 'empty'));
  await symlink('../../../etc/passwd', join(folder, 'out'));
  await symlink('server.js', join(folder, 'in'));
}

async function packFolder(folder: string): Promise<AsyncIterable<Uint8Array>> {
  return packLayer(folderLayer({ root: folder, prefix: 'app', items: await walkFolder(folder), removed: [] }));
}

async function read(tar: AsyncIterable<Uint8Array>): Promise<unknown[]> {
  const unpacked = extract();
  const found: unknown[] = [];
  const writing = (async () => {
    for await (const chunk of tar) unpacked.write(Buffer.from(chunk));
    unpacked.end(undefined);
  })();
  for await (const entry of unpacked) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
    const { name, type, mode, linkname, uid, gid, mtime } = entry.header;
    const content = Buffer.concat(chunks).toString();
    found.push({ name, type, mode: mode.toString(8), linkname, owner: `${uid}:${gid}`, time: mtime.getTime() / 1000, content });
  }
  await writing;
  return found;
}

test('the same tree in another folder, at another time, written in another order gives the same bytes', async () => {
  const [one, two] = [join(root, 'one'), join(root, 'two', 'elsewhere')];
  await writeTree(one, files, new Date('2001-02-03T04:05:06Z'));
  await writeTree(two, files.toReversed(), new Date('2024-01-01T00:00:00Z'));
  assert.deepEqual(await hashLayer(await packFolder(one)), await hashLayer(await packFolder(two)));
});

test('names are sorted by bytes, owners and modes fixed, links kept as links, times made of the content', async () => {
  const folder = join(root, 'three');
  await writeTree(folder, files, new Date());
  const entries = await read(await packFolder(folder));
  const shown = entries.filter((entry) => !JSON.stringify(entry).includes('deep'));
  const base = { linkname: null, owner: '0:0', content: '' };
  const folderOf = (name: string) => ({ ...base, name, type: 'directory', mode: '755', time: 315_532_800 });
  const fileOf = (name: string, content: string, mode: string) => {
    const seconds = 315_532_800 + (Number.parseInt(sha256(content).slice(7, 15), 16) >>> 2);
    return { ...base, name, type: 'file', mode, time: seconds, content };
  };
  const linkOf = (name: string, linkname: string) => ({ ...base, name, type: 'symlink', mode: '777', linkname, time: 315_532_800 });
  assert.deepEqual(shown, [
    folderOf('app/'),
    folderOf('app/a/'),
    fileOf('app/a-b', 'sorts before a/', '644'),
    fileOf('app/a/x', 'sorts after a-b', '644'),
    folderOf('app/empty/'),
    linkOf('app/in', 'server.js'),
    linkOf('app/out', '../../../etc/passwd'),
    fileOf('app/server.js', 'listen()', '755'),
    folderOf('app/ünï/'),
    fileOf('app/ünï/\uffee.txt', 'by bytes before the tree, by UTF-16 units after it', '644'),
    fileOf('app/ünï/\u{1f333}.txt', 'tree', '644'),
  ]);
  assert.ok(JSON.stringify(entries).includes(longName));
});

test('one byte more in one file gives another digest', async () => {
  const folder = join(root, 'four');
  await writeTree(folder, files, new Date(0));
  const before = await hashLayer(await packFolder(folder));
  await writeFile(join(folder, 'server.js'), 'listen();');
  assert.notEqual((await hashLayer(await packFolder(folder))).digest, before.digest);
});

test('what is hidden becomes a whiteout beside what stays', async () => {
  const folder = join(root, 'five');
  await writeTree(folder, [['server.js', 'x']], new Date());
  const layer = { root: folder, prefix: 'app', items: [], removed: ['old', 'lib/gone'] };
  const names = (await read(packLayer(folderLayer(layer)))).map((entry) => JSON.parse(JSON.stringify(entry)).name);
  assert.deepEqual(names, ['app/', 'app/lib/', 'app/lib/.wh.gone', 'app/.wh.old']);
});

test('a file of 300 MB is packed in constant memory', async () => {
  const folder = join(root, 'six');
  await mkdir(folder);
  const file = await open(join(folder, 'big'), 'w');
  await file.truncate(300 * 1024 * 1024);
  await file.close();
  const before = process.memoryUsage().rss;
  let peak = before;
  const packed = await hashLayer(await packFolder(folder), () => {
    peak = Math.max(peak, process.memoryUsage().rss);
  });
  assert.equal(packed.size, 300 * 1024 * 1024 + 2 * 512 + 1024);
  assert.ok(peak - before < 100 * 1024 * 1024, `memory grew by ${Math.round((peak - before) / 1e6)} MB`);
});

test('a name that would hide a file is refused', async () => {
  const entries: readonly LayerEntry[] = [{ kind: 'file', path: 'app/.wh.server.js', executable: false, content: Buffer.from('') }];
  await assert.rejects(hashLayer(packLayer(entries)), (error) => isCoppiceError(error, 'build-failed'));
});

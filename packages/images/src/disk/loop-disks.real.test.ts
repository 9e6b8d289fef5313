import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isErrno } from '../store/durable-file.ts';
import { LoopDisks } from './loop-disks.ts';
import { openBuildDisks } from './open-build-disks.ts';

const root = await mkdtemp(join(tmpdir(), 'coppice-disks-'));
after(() => rm(root, { recursive: true, force: true }));

const mebibyte = 1024 ** 2;
const mountsBelow = async (folder: string) =>
  (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter((line) => line.includes(folder));

async function fill(path: string, bytes: number): Promise<boolean> {
  const file = await open(path, 'w');
  try {
    for (let written = 0; written < bytes; written += mebibyte) await file.writeFile(Buffer.alloc(mebibyte, 1));
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOSPC')) return false;
    throw error;
  } finally {
    await file.close();
  }
}

test('a scratch disk takes what it may and not more, and is gone when closed', async () => {
  const disks = new LoopDisks(join(root, 'one'));
  const disk = await disks.scratch(64 * mebibyte);
  assert.equal(await fill(join(disk.path, 'some'), 8 * mebibyte), true);
  assert.equal(await disk.isFull(), false);
  assert.equal(await fill(join(disk.path, 'more'), 100 * mebibyte), false);
  assert.equal(await disk.isFull(), true);
  await disk.close();
  assert.deepEqual(await mountsBelow(join(root, 'one')), []);
  assert.deepEqual([await readdir(join(root, 'one/mounts')), await readdir(join(root, 'one/scratch'))], [[], []]);
});

test('a cache keeps its content, is shared while open, and is emptied when it is nearly full', async () => {
  const disks = new LoopDisks(join(root, 'two'));
  const [one, two] = await Promise.all([disks.cache('p_1/nodejs', 64 * mebibyte), disks.cache('p_1/nodejs', 64 * mebibyte)]);
  assert.equal(one.path, two.path);
  await writeFile(join(one.path, 'kept'), 'x');
  const closing = Promise.all([one.close(), two.close()]);
  const again = await disks.cache('p_1/nodejs', 64 * mebibyte);
  await closing;
  assert.equal(await readFile(join(again.path, 'kept'), 'utf8'), 'x');
  await fill(join(again.path, 'big'), 100 * mebibyte);
  await again.close();
  const fresh = await disks.cache('p_1/nodejs', 64 * mebibyte);
  assert.deepEqual(await readdir(fresh.path), ['lost+found']);
  await fresh.close();
  assert.deepEqual(await mountsBelow(join(root, 'two')), []);
});

test('a cache is deleted when no build holds it, and filled anew by the next; scratch disks in use are no leftovers', async () => {
  const folder = join(root, 'garbage');
  const disks = new LoopDisks(folder);
  const [held, scratch] = [await disks.cache('p_1/nodejs', 16 * mebibyte), await disks.scratch(16 * mebibyte)];
  await writeFile(join(held.path, 'kept'), 'x');
  await writeFile(join(folder, 'scratch/1-1'), 'left behind');
  assert.deepEqual(
    (await disks.caches()).map(({ name, isHeld }) => ({ name, isHeld })),
    [{ name: 'p_1/nodejs', isHeld: true }],
  );
  assert.equal(await disks.removeCache('p_1/nodejs'), false);
  assert.deepEqual(
    (await disks.leftovers()).map(({ name }) => name),
    ['1-1'],
  );
  assert.equal(await disks.removeLeftover('1-1'), true);
  await scratch.close();
  await held.close();
  assert.equal(await disks.removeCache('p_1/nodejs'), true);
  assert.deepEqual([await disks.caches(), await readdir(join(folder, 'cache')), await readdir(join(folder, 'scratch'))], [[], [], []]);
  const [fresh, removed] = await Promise.all([disks.cache('p_1/nodejs', 16 * mebibyte), disks.removeCache('p_1/nodejs')]);
  assert.equal(removed, false);
  assert.deepEqual(await readdir(fresh.path), ['lost+found']);
  await fresh.close();
});

test('a disk that cannot be made leaves nothing', async () => {
  const disks = new LoopDisks(join(root, 'impossible'));
  await assert.rejects(disks.scratch(1), /mkfs\.ext4 failed/);
  assert.deepEqual([await readdir(join(root, 'impossible/scratch')), await disks.leftovers()], [[], []]);
});

test('what a killed server left mounted is swept at start', async () => {
  const directory = join(root, 'three');
  const program = `
    import { LoopDisks } from ${JSON.stringify(new URL('./loop-disks.ts', import.meta.url).href)};
    const disks = new LoopDisks(${JSON.stringify(directory)});
    await disks.scratch(64 * 1024 * 1024);
    const cache = await disks.cache('p/x', 64 * 1024 * 1024);
    console.log('mounted');
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  assert.equal((await mountsBelow(directory)).length, 2);
  assert.equal((await readdir(join(directory, 'scratch'))).length, 1);
  const disks = await openBuildDisks(directory);
  assert.equal(disks.bound, 'enforced');
  assert.deepEqual(await mountsBelow(directory), []);
  assert.deepEqual((await readdir(directory, { recursive: true })).sort(), ['cache', 'cache/p', 'cache/p/x.ext4', 'mounts', 'scratch']);
  assert.ok((await stat(join(directory, 'cache/p/x.ext4'))).isFile());
});

test('making and removing a disk is quick', async () => {
  const disks = new LoopDisks(join(root, 'four'));
  const times: number[] = [];
  for (let round = 0; round < 9; round += 1) {
    const started = performance.now();
    await (await disks.scratch(4 * 1024 * mebibyte)).close();
    times.push(performance.now() - started);
  }
  const median = times.sort((a, b) => a - b)[4] ?? 0;
  assert.ok(median < 200, `${median} ms`);
  process.stdout.write(`# scratch disk made and removed in ${median.toFixed(1)} ms\n`);
});

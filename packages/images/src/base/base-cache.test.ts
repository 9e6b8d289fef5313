import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isCoppiceError, sha256 } from '@coppice/model';
import { BaseCache } from './base-cache.ts';

const scratch = await mkdtemp(join(tmpdir(), 'coppice-base-cache-'));
after(() => rm(scratch, { recursive: true, force: true }));

async function emptyCache(): Promise<BaseCache> {
  return new BaseCache(await mkdtemp(join(scratch, 'cache-')));
}

const packages = [{ name: 'tool', version: '1', source: 'tool' }];
const content = async (folder: string) => {
  await mkdir(join(folder, 'content'));
  await writeFile(join(folder, 'content/file'), 'content');
  return { content: { folder: join(folder, 'content'), prefix: '', isKept: () => true, removed: [], beganSeconds: 0 }, packages };
};

test('a part is made once, however many ask, and found afterwards', async () => {
  const cache = await emptyCache();
  const key = sha256('part');
  let made = 0;
  const make = (folder: string) => {
    made += 1;
    return content(folder);
  };
  const parts = await Promise.all(Array.from({ length: 10 }, () => cache.findOrMake(key, 'lock', make, undefined)));
  assert.equal(made, 1);
  assert.equal(new Set(parts.map((part) => JSON.stringify(part))).size, 1);
  assert.deepEqual(await new BaseCache(cache.directory).find(key), parts[0]);
  assert.deepEqual(await readdir(join(cache.directory, 'scratch')), []);
});

test('a part that could not be made leaves nothing, and is tried again', async () => {
  const cache = await emptyCache();
  const key = sha256('part');
  const failing = async (folder: string): Promise<never> => {
    await writeFile(join(folder, 'half'), '');
    throw new Error('no');
  };
  await assert.rejects(cache.findOrMake(key, 'lock', failing, undefined), /no/);
  assert.deepEqual([await cache.find(key), await readdir(join(cache.directory, 'scratch'))], [undefined, []]);
  assert.deepEqual((await cache.findOrMake(key, 'lock', content, undefined)).packages, packages);
});

test('a layer that is gone from the disk is made again', async () => {
  const cache = await emptyCache();
  const { layer } = await cache.findOrMake(sha256('part'), 'lock', content, undefined);
  await rm(layer.path);
  assert.equal(await cache.find(sha256('part')), undefined);
});

test('waiting for another process can be cancelled, and sweeping leaves what it makes alone', async () => {
  const cache = await emptyCache();
  for (const lock of ['held', 'dead']) await mkdir(join(cache.directory, 'scratch', lock, 'root'), { recursive: true });
  await mkdir(join(cache.directory, 'locks'));
  const holder = spawn('flock', [join(cache.directory, 'locks/held'), 'sh', '-c', 'echo held; cat']);
  await once(holder.stdout, 'data');

  await cache.sweep();
  assert.deepEqual(await readdir(join(cache.directory, 'scratch')), ['held']);
  const signal = AbortSignal.timeout(100);
  await assert.rejects(cache.findOrMake(sha256('part'), 'held', content, signal), (error) => isCoppiceError(error, 'cancelled'));

  holder.kill('SIGKILL');
  holder.stdin.end();
  assert.deepEqual((await cache.findOrMake(sha256('part'), 'held', content, undefined)).packages, packages);
});

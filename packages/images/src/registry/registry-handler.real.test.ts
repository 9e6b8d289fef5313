import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ImagePin } from '@coppice/model';
import Docker from 'dockerode';
import { packLayer } from '../layer/pack-layer.ts';
import type { Blob } from '../store/image-manifest.ts';
import { openOciStore } from '../store/oci-store.ts';
import { createRegistryHandler } from './registry-handler.ts';

const root = await mkdtemp(join(tmpdir(), 'coppice-pull-'));
const docker = new Docker();
const store = await openOciStore(root);
const handler = createRegistryHandler({ store, token: 'secret' });
const server = createServer((request, response) => void handler(request, response));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = server.address();
const host = `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
const pulled: string[] = [];
after(async () => {
  for (const name of pulled.toReversed()) await docker.getImage(name).remove({ force: true });
  server.close();
  await rm(root, { recursive: true, force: true });
});

async function layerOf(name: string, content: Buffer): Promise<Blob> {
  return store.putBlob(packLayer([{ kind: 'file', path: name, executable: false, content }]));
}

async function pull(image: ImagePin, password: string): Promise<string> {
  const name = `${host}/coppice/test@${image.manifest}`;
  const stream = await docker.pull(name, { authconfig: { username: 'coppice', password, serveraddress: host } });
  await new Promise<void>((resolve, reject) => docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve())));
  pulled.push(name);
  return name;
}

test('the engine pulls an image of ours by digest, with the token alone', async () => {
  const base = await layerOf('base', randomBytes(20 * 1024 * 1024));
  const image = await store.putManifest([base, await layerOf('server.js', Buffer.from('v1'))]);
  await assert.rejects(pull(image, 'wrong'), /unauthorized|authentication|token/i);
  const inspected = await docker.getImage(await pull(image, 'secret')).inspect();
  assert.equal(inspected.Id, image.config);
  const manifest = await store.manifest(image.manifest);
  assert.deepEqual(
    inspected.RootFS.Layers,
    manifest?.layers.map((layer) => layer.digest),
  );
  const times: number[] = [];
  for (let round = 0; round < 7; round += 1) {
    const next = await store.putManifest([base, await layerOf('server.js', randomBytes(2000))]);
    const started = performance.now();
    await pull(next, 'secret');
    times.push(performance.now() - started);
  }
  const median = times.sort((a, b) => a - b)[3] ?? 0;
  process.stdout.write(`# pull of a small layer over a known base: ${median.toFixed(0)} ms\n`);
  assert.ok(median < 2000, `${median} ms`);
});

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import type { ImagePin } from '@coppice/model';
import type { Blob } from '../store/image-manifest.ts';
import { openOciStore } from '../store/oci-store.ts';
import { createRegistryHandler } from './registry-handler.ts';

const root = await mkdtemp(join(tmpdir(), 'coppice-registry-'));
const store = await openOciStore(root);
let server: Server;
let url: string;
let layer: Blob;
let pin: ImagePin;

before(async () => {
  layer = await store.putBlob(Readable.from([Buffer.from('0123456789')]));
  pin = await store.putManifest([layer]);
  const handler = createRegistryHandler({ store, token: 'secret' });
  server = createServer((request, response) => void handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
});
after(async () => {
  server.close();
  await rm(root, { recursive: true, force: true });
});

const authorization = `Basic ${Buffer.from('anyone:secret').toString('base64')}`;

async function ask(path: string, init: { method?: string; headers?: Record<string, string> } = {}) {
  const response = await fetch(url + path, { ...init, headers: { authorization, ...init.headers } });
  const { status, headers } = response;
  return { status, length: headers.get('content-length'), range: headers.get('content-range'), body: await response.text(), headers };
}

test('without the token nothing is answered but 401', async () => {
  for (const given of ['', 'Basic !', `Basic ${Buffer.from('a:wrong').toString('base64')}`, 'Bearer secret', 'Basic c2VjcmV0']) {
    const answer = await ask(`/v2/web/blobs/${layer.digest}`, { headers: { authorization: given } });
    assert.equal(answer.status, 401);
    assert.equal(answer.headers.get('www-authenticate'), 'Basic realm="coppice"');
  }
});

test('a manifest comes with its type and digest', async () => {
  const answer = await ask(`/v2/p_1/web/manifests/${pin.manifest}`);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'application/vnd.oci.image.manifest.v1+json');
  assert.equal(answer.headers.get('docker-content-digest'), pin.manifest);
  assert.equal(JSON.parse(answer.body).config.digest, pin.config);
});

test('a blob comes whole, as its head, or as a range', async () => {
  const path = `/v2/web/blobs/${layer.digest}`;
  const shown = async (init?: { method?: string; headers?: Record<string, string> }) => {
    const { status, length, range, body } = await ask(path, init);
    return { status, length, range, body };
  };
  assert.deepEqual(await shown(), { status: 200, length: '10', range: null, body: '0123456789' });
  assert.deepEqual(await shown({ method: 'HEAD' }), { status: 200, length: '10', range: null, body: '' });
  assert.deepEqual(await shown({ headers: { range: 'bytes=2-4' } }), { status: 206, length: '3', range: 'bytes 2-4/10', body: '234' });
  assert.deepEqual(await shown({ headers: { range: 'bytes=-3' } }), { status: 206, length: '3', range: 'bytes 7-9/10', body: '789' });
  assert.equal((await shown({ headers: { range: 'bytes=10-' } })).status, 416);
});

test('what is not there, tags, other methods and strange paths are refused', async () => {
  const statusOf = async (path: string, method = 'GET') => (await ask(path, { method })).status;
  const none = `sha256:${'0'.repeat(64)}`;
  assert.equal(await statusOf('/v2/'), 200);
  assert.equal(await statusOf(`/v2/web/blobs/${none}`), 404);
  assert.equal(await statusOf(`/v2/web/manifests/${none}`), 404);
  assert.equal(await statusOf(`/v2/web/manifests/${layer.digest}`), 404);
  assert.equal(await statusOf('/v2/web/manifests/latest'), 404);
  assert.equal(await statusOf('/v2/web/blobs/..%2f..%2fetc'), 404);
  assert.equal(await statusOf(`/v2/web/blobs/${layer.digest}`, 'DELETE'), 405);
  assert.equal(await statusOf('/v2/web/blobs/uploads/', 'POST'), 405);
});

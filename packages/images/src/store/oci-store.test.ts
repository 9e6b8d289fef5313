import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { isCoppiceError, sha256 } from '@coppice/model';
import { openOciStore } from './oci-store.ts';

const root = await mkdtemp(join(tmpdir(), 'coppice-store-'));
after(() => rm(root, { recursive: true, force: true }));

const bytes = (text: string) => Readable.from([Buffer.from(text)]);
const key = sha256('key');

test('a blob lies under its digest, once', async () => {
  const store = await openOciStore(join(root, 'one'));
  const blob = await store.putBlob(bytes('layer'));
  assert.deepEqual(blob, { digest: sha256('layer'), size: 5 });
  assert.deepEqual(await store.putBlob(bytes('layer')), blob);
  assert.equal(await store.verify(blob.digest), true);
  assert.deepEqual(await readdir(join(root, 'one', 'blobs', 'sha256')), [blob.digest.slice(7)]);
  assert.deepEqual(await readdir(join(root, 'one', 'writing')), []);
});

test('content that is not what was expected is not kept', async () => {
  const store = await openOciStore(join(root, 'two'));
  await assert.rejects(store.putBlob(bytes('other'), sha256('layer')), (error) => isCoppiceError(error, 'internal'));
  await writeFile(join(root, 'file'), 'other');
  await assert.rejects(store.adoptBlob(join(root, 'file'), { digest: sha256('layer'), size: 5 }), (e) => isCoppiceError(e, 'internal'));
  assert.equal(await store.has(sha256('other')), false);
  assert.deepEqual(await readdir(join(root, 'two', 'writing')), []);
});

test('equal layers give equal pins, and the manifest names them', async () => {
  const store = await openOciStore(join(root, 'three'));
  const layer = await store.putBlob(bytes('layer'));
  const pin = await store.putManifest([layer]);
  assert.deepEqual(await store.putManifest([layer]), pin);
  assert.deepEqual(await store.manifest(pin.manifest), {
    config: { digest: pin.config, size: await store.size(pin.config) },
    layers: [layer],
  });
});

test('a record is found again by another process, and not when a blob of it is gone or cut short', async () => {
  const store = await openOciStore(join(root, 'four'));
  const layer = await store.putBlob(bytes('layer'));
  const image = await store.putManifest([layer]);
  const record = { v: 1, image, inputs: [{ name: 'source', value: 'abc' }], base: key, parts: [key] } as const;
  await store.record('image', key, record);
  await store.record('layer', key, { v: 1, layer });
  const again = await openOciStore(join(root, 'four'));
  assert.deepEqual(await again.lookup('image', key), record);
  assert.deepEqual(await again.keys('image'), [key]);
  await truncate(again.path(layer.digest), 2);
  assert.equal(await again.lookup('image', key), undefined);
  assert.equal(await again.lookup('layer', key), undefined);
  assert.deepEqual(await again.putBlob(bytes('layer')), layer);
  assert.deepEqual(await again.lookup('image', key), record);
});

test('what a killed process left half written is swept, and a broken record counts as none', async () => {
  const store = await openOciStore(join(root, 'five'));
  await writeFile(join(root, 'five', 'writing', '1-1'), 'half');
  await writeFile(join(root, 'five', 'keys', 'layer', key.slice(7)), '{"v":1,"lay');
  const again = await openOciStore(join(root, 'five'));
  assert.deepEqual(await readdir(join(root, 'five', 'writing')), []);
  assert.equal(await again.lookup('layer', key), undefined);
  assert.equal(await store.lookup('base', key), undefined);
});

test('a file of the host is taken in', async () => {
  const store = await openOciStore(join(root, 'six'));
  await writeFile(join(root, 'base.tar'), 'base layer');
  await store.adoptBlob(join(root, 'base.tar'), { digest: sha256('base layer'), size: 10 });
  await store.adoptBlob(join(root, 'base.tar'), { digest: sha256('base layer'), size: 10 });
  assert.equal(await store.verify(sha256('base layer')), true);
  assert.deepEqual(await readdir(join(root, 'six', 'writing')), []);
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { canonicalJson, sha256 } from '@coppice/model';
import { WatchedDisks } from '../disk/watched-disks.ts';
import { configText, manifestText } from '../store/image-manifest.ts';
import { openOciStore } from '../store/oci-store.ts';
import { createImageGarbage } from './create-image-garbage.ts';

const root = await mkdtemp(join(tmpdir(), 'coppice-killed-'));
after(() => rm(root, { recursive: true, force: true }));

const images = 120;

/** A process that collects all but the images it is told, and kills itself after so many deletions of blobs, in the middle of the next. */
const collector = `
  import { createImageGarbage } from ${JSON.stringify(new URL('./create-image-garbage.ts', import.meta.url).href)};
  import { WatchedDisks } from ${JSON.stringify(new URL('../disk/watched-disks.ts', import.meta.url).href)};
  import { openOciStore } from ${JSON.stringify(new URL('../store/oci-store.ts', import.meta.url).href)};
  const [directory, deletions, ...needed] = process.argv.slice(1);
  let left = Number(deletions);
  const disks = new WatchedDisks(directory + '/disks', '');
  const store = await openOciStore(directory);
  const mortal = Object.assign(Object.create(store), {
    deleteBlob: async (...given) => {
      const deleting = store.deleteBlob(...given);
      if (left === 0) process.kill(process.pid, 'SIGKILL');
      left -= 1;
      return deleting;
    },
  });
  const options = { store: mortal, disks: async () => disks, cacheDirectory: directory + '/bases', maker: '', running: () => [] };
  const garbage = createImageGarbage(options);
  const found = await garbage.garbage(() => ({ manifests: new Map(needed.map((digest) => [digest, 'needed'])), projects: new Set() }));
  await garbage.collect(found);
`;

test('killed while it deletes, it leaves every needed image and record whole and the rest as not there', async () => {
  const directory = join(root, 'store');
  const store = await openOciStore(directory);
  const pins = [];
  for (let index = 0; index < images; index += 1) {
    const layer = { digest: sha256(`layer ${index}`.padEnd(2000)), size: 2000 };
    await writeFile(store.path(layer.digest), `layer ${index}`.padEnd(2000));
    const config = configText([layer]);
    await writeFile(store.path(sha256(config)), config);
    const manifest = manifestText({ config: { digest: sha256(config), size: config.length }, layers: [layer] });
    await writeFile(store.path(sha256(manifest)), manifest);
    const pin = { manifest: sha256(manifest), config: sha256(config) };
    pins.push(pin);
    const record = canonicalJson({ v: 1, image: pin, inputs: [], base: sha256('base'), parts: [] });
    await writeFile(join(directory, 'keys/image', sha256(`build ${index}`).slice('sha256:'.length)), record);
  }
  const needed = pins.filter((_, index) => index % 30 === 0);

  const files = async (): Promise<number> => (await readdir(join(directory, 'blobs/sha256'))).length;
  const given = [directory, '150', ...needed.map(({ manifest }) => manifest)];
  const child = spawn(process.execPath, ['--input-type=module', '-e', collector, ...given], { stdio: ['ignore', 'ignore', 'inherit'] });
  assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL']);
  assert.equal(await files(), images * 3 - 151);

  const revived = await openOciStore(directory);
  assert.deepEqual(await readdir(join(directory, 'writing')), []);
  for (let index = 0; index < images; index += 1) {
    const found = await revived.lookup('image', sha256(`build ${index}`));
    if (index % 30 === 0) assert.deepEqual(found?.image, pins[index]);
    else if (found) assert.equal(await revived.isComplete(found.image), true);
  }
  const disks = new WatchedDisks(join(directory, 'disks'), '');
  const garbage = createImageGarbage({
    store: await openOciStore(directory),
    disks: async () => disks,
    cacheDirectory: join(directory, 'bases'),
    maker: '',
    running: () => [],
  });
  const manifests = new Map(needed.map(({ manifest }) => [manifest, 'needed'] as const));
  await garbage.collect(await garbage.garbage(() => ({ manifests, projects: new Set() })));
  assert.equal(await files(), needed.length * 3);
});

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { type Digest, sha256 } from '@coppice/model';
import { pack } from 'tar-stream';
import { DockerConnection, unlessStatus } from './docker-connection.ts';
import { DockerImages } from './images.ts';

const connection = new DockerConnection(process.env['DOCKER_HOST']);

/** A registry of one image that is this process's alone. */
const archive = pack();
archive.entry({ name: 'owner' }, `process ${process.pid} at ${performance.timeOrigin}`);
archive.finalize();
const layer = await buffer(archive);
const rootfs = { type: 'layers', diff_ids: [sha256(layer)] };
const config = JSON.stringify({ architecture: process.arch === 'arm64' ? 'arm64' : 'amd64', os: 'linux', config: {}, rootfs });
const oci = 'application/vnd.oci.image';
const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: `${oci}.manifest.v1+json`,
  config: { mediaType: `${oci}.config.v1+json`, digest: sha256(config), size: config.length },
  layers: [{ mediaType: `${oci}.layer.v1.tar`, digest: sha256(layer), size: layer.length }],
});
const image = { manifest: sha256(manifest), config: sha256(config) };
const contents = new Map<string, string | Buffer>([
  [sha256(config), config],
  [sha256(layer), layer],
  [image.manifest, manifest],
]);
const registry = createServer((request, response) => {
  const content = request.url === '/v2/' ? '{}' : contents.get(request.url?.split('/').at(-1) ?? '');
  if (content === manifest) response.setHeader('content-type', `${oci}.manifest.v1+json`);
  response.writeHead(content === undefined ? 404 : 200, { 'content-length': content?.length ?? 0 });
  response.end(request.method === 'HEAD' ? undefined : content);
});
await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
const { port } = registry.address() as AddressInfo;

const [one, two] = ['one', 'two'].map((name) => imagesOf(`${name}${process.pid}`)) as [DockerImages, DockerImages];
const foreignTag = `127.0.0.1.example/coppice-one${process.pid}:latest`;

function imagesOf(serverId: string): DockerImages {
  return new DockerImages(connection, { address: () => `127.0.0.1:${port}`, token: 'secret' }, serverId);
}

after(async () => {
  await one.removeOwn();
  await two.removeOwn();
  await unlessStatus([404], connection.json({ method: 'DELETE', path: `/images/${foreignTag}` }));
  registry.close();
  registry.closeAllConnections();
  connection.close();
});

async function ownOf(images: DockerImages): Promise<readonly Digest[]> {
  return (await images.own()).images.filter((own) => own.config === image.config).map((own) => own.config);
}

test('an image goes from the engine when the last server that pulled or held it lets go, and never what somebody else names', async () => {
  const chosen = new Set([image.config]);
  await one.ensure(image);
  assert.deepEqual([await ownOf(one), await ownOf(two)], [[image.config], []]);
  assert.deepEqual(await two.remove(await one.own(), chosen), chosen);
  assert.deepEqual(await ownOf(one), [image.config]);

  await two.ensure(image);
  assert.deepEqual(await ownOf(two), [image.config]);
  assert.deepEqual(await one.remove(await one.own(), chosen), chosen);
  assert.deepEqual([await ownOf(one), await ownOf(two), await one.present([image])], [[], [image.config], chosen]);

  // a repository of somebody else's registry that happens to be called like ours
  const [repo = '', tag = ''] = foreignTag.split(':');
  await connection.json({ method: 'POST', path: `/images/${image.config}/tag`, query: { repo, tag } });
  assert.deepEqual(await two.remove(await two.own(), chosen), chosen);
  assert.deepEqual([await ownOf(one), await ownOf(two), await one.present([image])], [[], [], chosen]);
  await connection.json({ method: 'DELETE', path: `/images/${foreignTag}` });
  assert.deepEqual(await one.present([image]), new Set());

  await one.ensure(image);
  assert.deepEqual(await one.remove(await one.own(), chosen), chosen);
  assert.deepEqual(await one.present([image]), new Set());
  await one.ensure(image);
});

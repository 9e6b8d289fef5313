import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createRegistryHandler, type OciStore, openOciStore } from '@coppice/images';
import { pack } from 'tar-stream';
import { firstAnswer } from './ask.ts';
import { dockerApi } from './docker-api.ts';
import { portOf } from './plain-git-host.ts';

type Blob = Parameters<OciStore['putManifest']>[0][number];
type Pin = Awaited<ReturnType<OciStore['putManifest']>>;

/** A registry of images that differ in one small layer, and bare Docker to run them: what a deployment costs at the least. */
export class PlainRegistry {
  readonly address: string;
  readonly #store: OciStore;
  readonly #base: readonly Blob[];
  readonly #close: () => Promise<void>;

  private constructor(parts: {
    readonly address: string;
    readonly store: OciStore;
    readonly base: readonly Blob[];
    readonly close: () => Promise<void>;
  }) {
    this.address = parts.address;
    this.#store = parts.store;
    this.#base = parts.base;
    this.#close = parts.close;
  }

  /** Serves on a free port of loopback. The base is that of an image in a server's store: all its layers but the last. */
  static async start(folder: string, from: { readonly images: string; readonly manifest: string }): Promise<PlainRegistry> {
    const token = 'plain';
    const store = await openOciStore(folder);
    const handler = createRegistryHandler({ store, token });
    const server = createServer((request, response) => void handler(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const blobAt = (digest: string): string => join(from.images, 'blobs', 'sha256', digest.slice('sha256:'.length));
    const source = await layersOf(blobAt(from.manifest));
    const base = source.slice(0, -1);
    for (const layer of base) await store.adoptBlob(blobAt(layer.digest), layer);
    const close = async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    };
    return new PlainRegistry({ address: `127.0.0.1:${portOf(server)}`, store, base, close });
  }

  /** An image with the files below /app over the base. */
  async image(files: Readonly<Record<string, string>>): Promise<Pin> {
    const archive = pack();
    for (const [name, content] of Object.entries(files)) archive.entry({ name: `app/${name}`, mode: 0o644 }, content);
    archive.finalize();
    const layer = await this.#store.putBlob(archive as AsyncIterable<Uint8Array>);
    return await this.#store.putManifest([...this.#base, layer]);
  }

  /** `docker pull` by digest. */
  async pull(image: Pin): Promise<void> {
    const auth = Buffer.from(JSON.stringify({ username: 'plain', password: 'plain', serveraddress: this.address })).toString('base64');
    const from = encodeURIComponent(`${this.address}/plain@${image.manifest}`);
    await dockerApi('POST', `/images/create?fromImage=${from}`, { headers: { 'x-registry-auth': auth } });
  }

  async close(): Promise<void> {
    await this.#close();
  }
}

/** `docker run -d`: resolves with the container's id and the time of its first answer on `port`. */
export async function runPlainly(
  image: Pin,
  { argv, port, expected }: { readonly argv: readonly string[]; readonly port: number; readonly expected: string },
): Promise<{ readonly id: string; readonly answeredMs: number }> {
  const body = { Image: image.config, Cmd: argv, WorkingDir: '/app', Env: [`PORT=${port}`] };
  const { Id: id } = await dockerApi<{ readonly Id: string }>('POST', '/containers/create', { body });
  await dockerApi('POST', `/containers/${id}/start`);
  const seen = await dockerApi<{ readonly NetworkSettings: { readonly IPAddress: string } }>('GET', `/containers/${id}/json`);
  const address = seen.NetworkSettings.IPAddress;
  return { id, answeredMs: await firstAnswer({ address, port, host: address }, expected) };
}

async function layersOf(path: string): Promise<readonly Blob[]> {
  const manifest = JSON.parse(await readFile(path, 'utf8')) as { readonly layers: readonly Blob[] };
  return manifest.layers.map(({ digest, size }) => ({ digest, size }));
}

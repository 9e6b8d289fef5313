import { createReadStream } from 'node:fs';
import type { Digest } from '@coppice/model';
import { extract } from 'tar-stream';
import type { OciStore } from '../store/oci-store.ts';

/** The names in a layer, folders with `/`, links with ` -> target`, files with `=content` where it is short; for tests. */
export async function readLayer(store: OciStore, digest: Digest): Promise<readonly string[]> {
  const tar = extract();
  const feeding = (async () => {
    for await (const chunk of createReadStream(store.path(digest))) tar.write(chunk);
    tar.end(undefined);
  })();
  const names: string[] = [];
  for await (const entry of tar) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
    const content = Buffer.concat(chunks).toString();
    const { name, type, linkname } = entry.header;
    if (type === 'symlink') names.push(`${name} -> ${linkname}`);
    else names.push(type === 'file' && content.length < 40 ? `${name}=${content}` : name);
  }
  await feeding;
  return names;
}

/** The layers of an image, bottom first, each as `readLayer` shows it. */
export async function readImage(store: OciStore, manifest: Digest): Promise<readonly (readonly string[])[]> {
  const found = await store.manifest(manifest);
  return Promise.all((found?.layers ?? []).map((layer) => readLayer(store, layer.digest)));
}

import { canonicalJson, type Digest, parseDigest } from '@coppice/model';

/** Bytes in the store, by content. */
export interface Blob {
  readonly digest: Digest;
  readonly size: number;
}

/** Size of a layer without anything in it, which no image gets. */
export const emptyTarBytes = 1024;

/** Media types of the OCI image specification 1.0; our layers are never compressed, so a layer's digest is its diffID. */
export const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

/** What a manifest of ours says. */
export interface ImageManifest {
  readonly config: Blob;
  /** Bottom first. */
  readonly layers: readonly Blob[];
}

/** The text of an image's configuration: the platform and the layers, nothing about how it runs and no time. */
export function configText(layers: readonly Blob[]): string {
  return canonicalJson({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
  });
}

/** The text of the manifest over a configuration and its layers. */
export function manifestText(manifest: ImageManifest): string {
  return canonicalJson({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, ...manifest.config },
    layers: manifest.layers.map((layer) => ({ mediaType: mediaTypes.layer, ...layer })),
  });
}

/** Reads the text of a manifest; undefined where it is something else. */
export function parseManifest(text: string): ImageManifest | undefined {
  const value = parseJson(text);
  if (!isRecord(value) || value['mediaType'] !== mediaTypes.manifest || !Array.isArray(value['layers'])) return undefined;
  const config = parseBlob(value['config']);
  const layers: Blob[] = [];
  for (const item of value['layers']) {
    const layer = parseBlob(item);
    if (!layer) return undefined;
    layers.push(layer);
  }
  return config ? { config, layers } : undefined;
}

/** Reads a digest with its size out of plain data; undefined where it is something else. */
export function parseBlob(value: unknown): Blob | undefined {
  if (!isRecord(value) || typeof value['digest'] !== 'string' || typeof value['size'] !== 'number') return undefined;
  const digest = parseDigest(value['digest']);
  return digest ? { digest, size: value['size'] } : undefined;
}

/** Plain data of a JSON text; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Whether plain data is an object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

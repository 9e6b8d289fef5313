import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResolvedType } from '@coppice/catalog';
import type { Sandbox } from '@coppice/engine';
import { digestOf, type ImagePin, sha256 } from '@coppice/model';
import { createImageBuilder, type ImageBuilderOptions } from '../create-image-builder.ts';
import { WatchedDisks } from '../disk/watched-disks.ts';
import type { ApplicationBuild, BuildRequest, LocalImageBuilder } from '../image-builder.ts';
import { type OciStore, openOciStore } from '../store/oci-store.ts';

/** A builder over a folder of its own, with a base of one made-up layer; for tests. */
export interface BuildFixture {
  readonly directory: string;
  readonly store: OciStore;
  readonly builder: LocalImageBuilder;
  readonly ensured: ImagePin[];
  /** Another builder over the same folder, as after a restart. */
  restart(options?: Partial<ImageBuilderOptions>): Promise<LocalImageBuilder>;
  remove(): Promise<void>;
}

export async function buildFixture(sandbox: Sandbox, given: Partial<ImageBuilderOptions> = {}): Promise<BuildFixture> {
  const directory = await mkdtemp(join(tmpdir(), 'coppice-build-'));
  const base = Buffer.alloc(2048);
  await writeFile(join(directory, 'base.tar'), base);
  const ensured: ImagePin[] = [];
  const open = async (options: Partial<ImageBuilderOptions> = {}): Promise<{ store: OciStore; builder: LocalImageBuilder }> => {
    const store = await openOciStore(join(directory, 'images'));
    const builder = createImageBuilder({
      directory,
      store,
      sandbox,
      ensureImage: async (image) => void ensured.push(image),
      bases: {
        key: digestOf,
        build: async ({ recipe }) => ({
          key: digestOf(recipe),
          layers: [{ path: join(directory, 'base.tar'), digest: sha256(base), size: base.length }],
          packages: [{ name: 'libc6', version: '2.36', source: 'glibc' }],
        }),
      },
      baseCache: join(directory, 'bases'),
      disks: async (folder) => new WatchedDisks(folder, 'a test'),
      hostSettings: async () => ({ variables: {}, mounts: [], secrets: [] }),
      ...given,
      ...options,
    });
    return { store, builder };
  };
  const { store, builder } = await open();
  return {
    directory,
    store,
    builder,
    ensured,
    restart: async (options) => (await open(options)).builder,
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

/** A type of the catalog that has what a test does not care about. */
export function someType(given: Partial<ResolvedType> = {}): ResolvedType {
  return {
    name: 'nodejs',
    kind: 'application',
    version: '24',
    debian: 'bookworm',
    base: { debian: 'bookworm', packages: [], npm: [], prepare: [], setup: [] },
    user: { uid: 1000, gid: 1000, name: 'app' },
    workingDirectory: '/app',
    argv: undefined,
    capabilities: [],
    tmpfs: [],
    mounts: [],
    endpoints: {},
    defaultEndpoint: 'http',
    readiness: { probe: { kind: 'alive', forMs: 1 }, everyMs: 20, withinMs: 1000 },
    provision: undefined,
    quiesce: undefined,
    stop: { signal: 'SIGTERM', graceMs: 1000 },
    resources: { cpu: 1, memoryBytes: 1, diskBytes: 0 },
    variables: {},
    properties: {},
    webServer: undefined,
    build: { defaults: [], caches: { '/cache/npm': 'npm_config_cache' }, variables: {} },
    files: { '/etc/passwd': { content: 'app:x:1000:1000::/app:/bin/sh\n', executable: false } },
    ...given,
  };
}

/** A request to build an application. */
export function someRequest(application: Partial<ApplicationBuild> & Pick<ApplicationBuild, 'source'>): BuildRequest {
  return { project: 'p_1', type: someType(), application: { steps: [], variables: {}, files: {}, ...application } };
}

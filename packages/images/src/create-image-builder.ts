import { join } from 'node:path';
import type { BaseRecipe } from '@coppice/catalog';
import type { Sandbox } from '@coppice/engine';
import { CoppiceError, type Digest, type ImagePin, isCoppiceError } from '@coppice/model';
import { baseKey, buildBase, defaultBaseDirectory } from './base/index.ts';
import { applicationLayers, applicationPath, type KeyedLayer, type StepTools } from './build/application-steps.ts';
import { type BaseImages, type BuildBase, obtainBase } from './build/base-images.ts';
import { asImageFiles, buildKey, filesKey, runtimeKey, sourceKey } from './build/build-key.ts';
import { type BuildLimits, defaultBuildLimits } from './build/build-limits.ts';
import { type HostSettings, readHostSettings } from './build/host-settings.ts';
import { RunningImages } from './build/running-images.ts';
import { SingleFlight } from './build/single-flight.ts';
import { Slots } from './build/slots.ts';
import type { BuildDisks } from './disk/build-disk.ts';
import { openBuildDisks } from './disk/open-build-disks.ts';
import { createImageGarbage } from './garbage/create-image-garbage.ts';
import type { ImageGarbage } from './garbage/image-garbage.ts';
import type { BuildOptions, BuildOutlook, BuildRequest, BuiltImage, LocalImageBuilder } from './image-builder.ts';
import { filesLayer, type ImageFiles } from './layer/files-layer.ts';
import type { LayerEntry } from './layer/layer-entry.ts';
import { packLayer } from './layer/pack-layer.ts';
import { sourceLayer as sourceLayerOf } from './layer/source-entries.ts';
import { type Blob, emptyTarBytes } from './store/image-manifest.ts';
import type { OciStore } from './store/oci-store.ts';

export interface ImageBuilderOptions {
  /** Absolute; scratch disks and package caches lie below it. Nobody else may use it. */
  readonly directory: string;
  readonly store: OciStore;
  readonly sandbox: Sandbox;
  /** Makes an image of the store usable by the sandbox: `Engine.ensureImage`. */
  readonly ensureImage: (image: ImagePin) => Promise<void>;
  /** Folder of bases that servers share; default `/var/cache/coppice/bases`. */
  readonly baseCache?: string;
  /** Defaults in build-limits.ts. */
  readonly limits?: Partial<BuildLimits>;
  /** Stands in the bases that this builder is the first to make: it alone may delete them. Default: `directory`. */
  readonly maker?: string;
  /** Replaced by tests; by default the real ones. */
  readonly bases?: { readonly key: (recipe: BaseRecipe) => Digest; readonly build: BuildBase };
  readonly disks?: (directory: string) => Promise<BuildDisks>;
  readonly hostSettings?: () => Promise<HostSettings>;
}

/** The most layers that the engine's overlay can stack. */
const mostLayers = 120;

/** The image builder over a store and a sandbox. Disks that a dead server left are swept before the first step runs. */
export function createImageBuilder(options: ImageBuilderOptions): LocalImageBuilder {
  return new StoreImageBuilder(options);
}

class StoreImageBuilder implements LocalImageBuilder {
  private readonly store: OciStore;
  private readonly flights = new SingleFlight<ImagePin>();
  private readonly bases: BaseImages & { readonly key: (recipe: BaseRecipe) => Digest };
  private readonly tools: StepTools;
  private disks: Promise<BuildDisks> | undefined;
  readonly load: LocalImageBuilder['load'];
  readonly hold: ImageGarbage['hold'];
  readonly complete: ImageGarbage['complete'];
  readonly running: ImageGarbage['running'];
  readonly garbage: ImageGarbage['garbage'];
  readonly collect: ImageGarbage['collect'];

  constructor(options: ImageBuilderOptions) {
    const { store, sandbox, ensureImage, bases = { key: baseKey, build: buildBase }, disks = openBuildDisks } = options;
    const limits = { ...defaultBuildLimits, ...options.limits };
    const slots = new Slots(limits.concurrency);
    this.load = () => slots.load();
    this.store = store;
    const { baseCache: cacheDirectory = defaultBaseDirectory, maker = options.directory } = options;
    this.bases = { store, slots, buildBase: bases.build, key: bases.key, cacheDirectory, maker };
    const openDisks = (): Promise<BuildDisks> => {
      this.disks ??= disks(join(options.directory, 'disks'));
      return this.disks;
    };
    const hostSettings = options.hostSettings ?? readHostSettings;
    const running = new RunningImages();
    this.tools = { store, sandbox, ensureImage, disks: openDisks, hostSettings, slots, limits, running };
    const garbage = createImageGarbage({ store, disks: openDisks, cacheDirectory, maker, running: () => running.list() });
    ({ hold: this.hold, complete: this.complete, running: this.running, garbage: this.garbage, collect: this.collect } = garbage);
  }

  async look(request: BuildRequest): Promise<BuildOutlook> {
    const { key, inputs } = buildKey(request, this.bases.key(request.type.base));
    const record = await this.store.lookup('image', key);
    return { key, inputs, image: record?.image };
  }

  async build(request: BuildRequest, options: BuildOptions): Promise<BuiltImage> {
    const built = await this.tryBuild(request, options);
    // What a build that others began reused may be of before the caller's hold, and no longer held once that build has landed.
    return (await this.store.isComplete(built.image)) ? built : this.tryBuild(request, options);
  }

  private async tryBuild(request: BuildRequest, options: BuildOptions): Promise<BuiltImage> {
    const outlook = await this.look(request);
    const { key, inputs, image } = outlook;
    if (image) return { key, inputs, image, built: false };
    const { result, leads } = await this.flights.join(key, options, (onProgress, signal) =>
      this.store.uses.during(async () => {
        // another flight may have landed between our look and this one's start
        const landed = await this.store.lookup('image', key);
        return landed ? landed.image : this.make(request, outlook, { onProgress, signal });
      }),
    );
    return { key, inputs, image: result, built: leads };
  }

  private async make(
    request: BuildRequest,
    outlook: BuildOutlook,
    options: { readonly onProgress: (line: string) => void; readonly signal: AbortSignal },
  ): Promise<ImagePin> {
    try {
      const base = this.bases.key(request.type.base);
      const { layers, parts } = await this.layers(request, base, options);
      options.signal.throwIfAborted();
      if (layers.length > mostLayers) {
        throw new CoppiceError('build-failed', `the image has ${layers.length} layers, but ${mostLayers} are the most: join some steps`);
      }
      const image = await this.store.putManifest(layers);
      await this.store.record('image', outlook.key, { v: 1, image, inputs: outlook.inputs, base, parts });
      return image;
    } catch (error) {
      throw isCoppiceError(error) ? error : new CoppiceError('build-failed', `the build failed: ${messageOf(error)}`, { cause: error });
    }
  }

  private async layers(
    request: BuildRequest,
    base: Digest,
    options: { readonly onProgress: (line: string) => void; readonly signal: AbortSignal },
  ): Promise<{ readonly layers: readonly Blob[]; readonly parts: readonly Digest[] }> {
    const { type, application } = request;
    const below = await obtainBase(this.bases, { key: base, recipe: type.base }, options);
    const typeFiles = await this.files(type.files);
    const above: KeyedLayer[] = [];
    if (application) {
      const runtime = { key: runtimeKey(type, base), layers: [...below, ...typeFiles.map(({ layer }) => layer)] };
      const sourceLayer = (): Promise<KeyedLayer> =>
        this.keyed(sourceKey(application.source.id), () => sourceLayerOf(application.source, applicationPath));
      above.push(...(await applicationLayers(this.tools, { request, application, runtime, sourceLayer, ...options })));
      above.push(...(await this.files(asImageFiles(application.files))));
    }
    const keyed = [...typeFiles, ...above];
    // a step that changed nothing
    const layers = [...below, ...keyed.map(({ layer }) => layer)].filter((layer) => layer.size > emptyTarBytes);
    return { layers, parts: keyed.map(({ key }) => key) };
  }

  /** One layer, or none where there are no files. */
  private async files(files: ImageFiles): Promise<readonly KeyedLayer[]> {
    return Object.keys(files).length === 0 ? [] : [await this.keyed(filesKey(files), () => filesLayer(files))];
  }

  private async keyed(key: Digest, entries: () => AsyncIterable<LayerEntry> | Iterable<LayerEntry>): Promise<KeyedLayer> {
    const known = await this.store.lookup('layer', key);
    if (known) return { key, layer: known.layer };
    const layer = await this.store.putBlob(packLayer(entries()));
    await this.store.record('layer', key, { v: 1, layer });
    return { key, layer };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

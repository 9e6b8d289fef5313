import { join } from 'node:path';
import type { BaseRecipe } from '@coppice/catalog';
import type { Sandbox } from '@coppice/engine';
import { CoppiceError, type Digest, type ImagePin, isCoppiceError } from '@coppice/model';
import { baseKey, buildBase, defaultBaseDirectory } from './base/index.ts';
import { applicationLayers, applicationPath, type StepTools } from './build/application-steps.ts';
import { type BaseImages, type BuildBase, obtainBase } from './build/base-images.ts';
import { asImageFiles, buildKey, filesKey, runtimeKey, sourceKey } from './build/build-key.ts';
import { type BuildLimits, defaultBuildLimits } from './build/build-limits.ts';
import { type HostSettings, readHostSettings } from './build/host-settings.ts';
import { SingleFlight } from './build/single-flight.ts';
import { Slots } from './build/slots.ts';
import type { BuildDisks } from './disk/build-disk.ts';
import { openBuildDisks } from './disk/open-build-disks.ts';
import type { BuildOptions, BuildOutlook, BuildRequest, BuiltImage, LocalImageBuilder } from './image-builder.ts';
import { filesLayer, type ImageFiles } from './layer/files-layer.ts';
import type { LayerEntry } from './layer/layer-entry.ts';
import { packLayer } from './layer/pack-layer.ts';
import { sourceLayer } from './layer/source-entries.ts';
import type { Blob } from './store/image-manifest.ts';
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
  /** Replaced by tests; by default the real ones. */
  readonly bases?: { readonly key: (recipe: BaseRecipe) => Digest; readonly build: BuildBase };
  readonly disks?: (directory: string) => Promise<BuildDisks>;
  readonly hostSettings?: () => Promise<HostSettings>;
}

/** The most layers that the engine's overlay can stack. */
const mostLayers = 120;
const emptyTarBytes = 1024;

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

  constructor(options: ImageBuilderOptions) {
    const { store, sandbox, ensureImage, bases = { key: baseKey, build: buildBase }, disks = openBuildDisks } = options;
    const limits = { ...defaultBuildLimits, ...options.limits };
    const slots = new Slots(limits.concurrency);
    this.load = () => slots.load();
    this.store = store;
    this.bases = { store, slots, buildBase: bases.build, key: bases.key, cacheDirectory: options.baseCache ?? defaultBaseDirectory };
    const openDisks = (): Promise<BuildDisks> => {
      this.disks ??= disks(join(options.directory, 'disks'));
      return this.disks;
    };
    this.tools = { store, sandbox, ensureImage, disks: openDisks, hostSettings: options.hostSettings ?? readHostSettings, slots, limits };
  }

  async look(request: BuildRequest): Promise<BuildOutlook> {
    const { key, inputs } = buildKey(request, this.bases.key(request.type.base));
    const record = await this.store.lookup('image', key);
    return { key, inputs, image: record?.image };
  }

  async build(request: BuildRequest, options: BuildOptions): Promise<BuiltImage> {
    const outlook = await this.look(request);
    const { key, inputs, image } = outlook;
    if (image) return { key, inputs, image, built: false };
    const { result, leads } = await this.flights.join(key, options, async (onProgress, signal) => {
      // another flight may have landed between our look and this one's start
      const landed = await this.store.lookup('image', key);
      return landed ? landed.image : this.make(request, outlook, { onProgress, signal });
    });
    return { key, inputs, image: result, built: leads };
  }

  private async make(
    request: BuildRequest,
    outlook: BuildOutlook,
    options: { readonly onProgress: (line: string) => void; readonly signal: AbortSignal },
  ): Promise<ImagePin> {
    try {
      const base = this.bases.key(request.type.base);
      const layers = await this.layers(request, base, options);
      options.signal.throwIfAborted();
      if (layers.length > mostLayers) {
        throw new CoppiceError('build-failed', `the image has ${layers.length} layers, but ${mostLayers} are the most: join some steps`);
      }
      const image = await this.store.putManifest(layers);
      await this.store.record('image', outlook.key, { v: 1, image, inputs: outlook.inputs, base });
      return image;
    } catch (error) {
      throw isCoppiceError(error) ? error : new CoppiceError('build-failed', `the build failed: ${messageOf(error)}`, { cause: error });
    }
  }

  private async layers(
    request: BuildRequest,
    base: Digest,
    options: { readonly onProgress: (line: string) => void; readonly signal: AbortSignal },
  ): Promise<readonly Blob[]> {
    const { type, application } = request;
    const layers = [...(await obtainBase(this.bases, { key: base, recipe: type.base }, options)), ...(await this.files(type.files))];
    if (!application) return layers;
    const runtime = { key: runtimeKey(type, base), layers: [...layers] };
    const source = (): Promise<Blob> =>
      this.keyed(sourceKey(application.source.id), () => sourceLayer(application.source, applicationPath));
    layers.push(...(await applicationLayers(this.tools, { request, application, runtime, sourceLayer: source, ...options })));
    const all = [...layers, ...(await this.files(asImageFiles(application.files)))];
    // a step that changed nothing
    return all.filter((layer) => layer.size > emptyTarBytes);
  }

  /** One layer, or none where there are no files. */
  private async files(files: ImageFiles): Promise<readonly Blob[]> {
    return Object.keys(files).length === 0 ? [] : [await this.keyed(filesKey(files), () => filesLayer(files))];
  }

  private async keyed(key: Digest, entries: () => AsyncIterable<LayerEntry> | Iterable<LayerEntry>): Promise<Blob> {
    const known = await this.store.lookup('layer', key);
    if (known) return known.layer;
    const layer = await this.store.putBlob(packLayer(entries()));
    await this.store.record('layer', key, { v: 1, layer });
    return layer;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

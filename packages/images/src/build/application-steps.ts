import { rm } from 'node:fs/promises';
import type { Sandbox } from '@coppice/engine';
import { CoppiceError, type Digest, type ImagePin, type SourceEntry } from '@coppice/model';
import type { BuildDisk, BuildDisks } from '../disk/build-disk.ts';
import type { ApplicationBuild, BuildRequest } from '../image-builder.ts';
import { folderLayer } from '../layer/folder-entries.ts';
import { packLayer } from '../layer/pack-layer.ts';
import { refuseSecrets } from '../layer/refuse-secrets.ts';
import { SecretSearch } from '../layer/secret-search.ts';
import { listSource } from '../layer/source-entries.ts';
import type { Blob } from '../store/image-manifest.ts';
import type { OciStore } from '../store/oci-store.ts';
import { buildVariables, inputStepKey, sourceStepKey } from './build-key.ts';
import type { BuildLimits } from './build-limits.ts';
import type { HostSettings } from './host-settings.ts';
import type { RunningImages } from './running-images.ts';
import { secretInLayer } from './secret-in-layer.ts';
import type { Slots } from './slots.ts';
import { selectInputs } from './step-inputs.ts';
import { applicationFolder, type NumberedStep, runStep, type StepSetting } from './step-runner.ts';
import { Workspace } from './workspace.ts';

/** Where the application lies in the image, without the leading slash. */
export const applicationPath = 'app';

/** What steps need to run. */
export interface StepTools {
  readonly store: OciStore;
  readonly sandbox: Sandbox;
  readonly ensureImage: (image: ImagePin) => Promise<void>;
  readonly disks: () => Promise<BuildDisks>;
  readonly hostSettings: () => Promise<HostSettings>;
  readonly slots: Slots;
  readonly limits: BuildLimits;
  /** Images that builds under way run their steps in: nothing else refers to them. */
  readonly running: RunningImages;
}

export interface ApplicationLayers {
  readonly request: BuildRequest;
  readonly application: ApplicationBuild;
  /** The image that steps run in, and its key, which is the parent of the first step's. */
  readonly runtime: { readonly key: Digest; readonly layers: readonly Blob[] };
  readonly sourceLayer: () => Promise<KeyedLayer>;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** A layer and the key of its record. */
export interface KeyedLayer {
  readonly key: Digest;
  readonly layer: Blob;
}

interface KeyedStep extends NumberedStep {
  readonly key: Digest;
  /** The source it sees above earlier output: its inputs, or nothing where the source is a layer already. */
  readonly reads: readonly SourceEntry[];
}

/**
 * The layers of /app, bottom first: one per step with inputs, the source, one per step without. A step whose key is known is not run.
 * Steps with inputs come first whatever their place in the file, since nothing else may reach them.
 */
export async function applicationLayers(tools: StepTools, build: ApplicationLayers): Promise<readonly KeyedLayer[]> {
  if (build.application.steps.length === 0) return [await build.sourceLayer()];
  const run = new StepSequence(tools, build);
  try {
    const { early, late } = await keySteps(build);
    const layers: KeyedLayer[] = [];
    for (const step of early) layers.push(await run.layerOf(step, layers));
    layers.push(await build.sourceLayer());
    for (const step of late) layers.push(await run.layerOf(step, layers));
    return layers;
  } finally {
    await run.close();
  }
}

async function keySteps(build: ApplicationLayers): Promise<{ readonly early: readonly KeyedStep[]; readonly late: readonly KeyedStep[] }> {
  const { application, request, runtime } = build;
  const variables = buildVariables(request);
  const steps = application.steps.map((step, index): NumberedStep => ({ ...step, number: index + 1 }));
  const withInputs = steps.filter((step) => step.inputs !== undefined);
  const entries = withInputs.length > 0 ? await listSource(application.source) : [];
  let parent = runtime.key;
  const early = withInputs.map((step): KeyedStep => {
    const reads = selectInputs(entries, step.inputs ?? []);
    parent = inputStepKey(parent, step, variables, reads);
    return { ...step, key: parent, reads };
  });
  const late = steps
    .filter((step) => step.inputs === undefined)
    .map((step): KeyedStep => {
      parent = sourceStepKey(parent, step, variables, application.source.id);
      return { ...step, key: parent, reads: [] };
    });
  return { early, late };
}

interface Opened {
  readonly setting: StepSetting;
  readonly workspace: Workspace;
  /** For what no layer may hold. */
  readonly search: SecretSearch;
}

/** The steps of one build in their order. Takes a slot, disks and the sandbox's image only when the first step has to run. */
class StepSequence {
  private readonly tools: StepTools;
  private readonly build: ApplicationLayers;
  private opened: Opened | undefined;
  private readonly closers: (() => Promise<void>)[] = [];

  constructor(tools: StepTools, build: ApplicationLayers) {
    this.tools = tools;
    this.build = build;
  }

  async layerOf(step: KeyedStep, below: readonly KeyedLayer[]): Promise<KeyedLayer> {
    const { store } = this.tools;
    const known = await store.lookup('layer', step.key);
    if (known) {
      this.build.onProgress(`step ${step.number} (${firstLine(step.run)}): nothing it reads has changed`);
      return { key: step.key, layer: known.layer };
    }
    const { setting, workspace, search } = await this.open();
    this.build.onProgress(`step ${step.number}: ${firstLine(step.run)}`);
    const paths = below.map(({ layer }) => ({ digest: layer.digest, path: store.path(layer.digest) }));
    await workspace.prepare(paths, step.reads, applicationPath);
    await runStep(step, setting);
    setting.signal.throwIfAborted();
    const changes = await workspace.changes(applicationPath);
    const entries = refuseSecrets(folderLayer(changes), search, (place) => secretInLayer(step, place, setting.host.secrets));
    const layer = await store.putBlob(packLayer(entries));
    workspace.keep(layer.digest, changes);
    await store.record('layer', step.key, { v: 1, layer });
    return { key: step.key, layer };
  }

  async close(): Promise<void> {
    for (const close of this.closers.toReversed()) await close();
  }

  private async open(): Promise<Opened> {
    if (this.opened) return this.opened;
    const { tools, build } = this;
    const { request, signal, onProgress } = build;
    this.closers.push(await tools.slots.hold(signal));
    const image = await tools.store.putManifest(build.runtime.layers);
    this.closers.push(tools.running.add(image));
    await tools.ensureImage(image);
    const disks = await tools.disks();
    const scratch = await this.take(disks.scratch(tools.limits.diskBytes));
    const hasCaches = Object.keys(request.type.build?.caches ?? {}).length > 0;
    const cache = hasCaches ? await this.take(disks.cache(cacheName(request), tools.limits.cacheBytes)) : undefined;
    // mkfs leaves a folder that is root's alone and of no use here
    await rm(`${scratch.path}/lost+found`, { recursive: true, force: true });
    const { sandbox, limits } = tools;
    const host = await tools.hostSettings();
    const variables = buildVariables(request);
    const setting: StepSetting = { sandbox, image, type: request.type, variables, host, limits, scratch, cache, onProgress, signal };
    const root = await applicationFolder(setting);
    const workspace = new Workspace(root, request.type.user, build.application.source);
    this.opened = { setting, workspace, search: new SecretSearch(host.secrets) };
    return this.opened;
  }

  private async take(disk: Promise<BuildDisk>): Promise<BuildDisk> {
    const taken = await disk;
    this.closers.push(() => taken.close());
    return taken;
  }
}

function cacheName(request: BuildRequest): string {
  for (const name of [request.project, request.type.name]) {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) throw new CoppiceError('internal', `not a name for a folder: ${name}`);
  }
  return `${request.project}/${request.type.name}`;
}

function firstLine(run: string): string {
  const [line = '', ...more] = run.trim().split('\n');
  return more.length > 0 || line.length > 120 ? `${line.slice(0, 120)} …` : line;
}

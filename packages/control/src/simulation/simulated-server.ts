import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Catalog, loadCatalog, typeDirectory } from '@coppice/catalog';
import { type BehaviourOf, createSimulatedEngine, type SimulatedEngine } from '@coppice/engine';
import type { RefResult } from '@coppice/git';
import type { BuildRequest } from '@coppice/images';
import { type Digest, digestOf, type GitId } from '@coppice/model';
import { createSimulatedRouter } from '@coppice/router';
import { openStore } from '@coppice/state';
import { createSimulatedVolumes, type SimulatedVolumes, type VolumeDriver } from '@coppice/volumes';
import { createControlPlane, type RunningControlPlane } from '../create-control-plane.ts';
import type { Clock, Ports } from '../ports.ts';
import { MemoryRepository } from './memory-repository.ts';
import { orderedIds } from './ordered-ids.ts';
import { rememberedStore } from './remembered-store.ts';

export const noCommit = '0'.repeat(40) as GitId;
export const mainRef = 'refs/heads/main';

/** What a test may set of the world. */
export interface SimulatedServerOptions {
  /** The machine's where left out. */
  readonly clock?: Clock;
  readonly catalog?: Catalog;
  readonly behaviourOf?: BehaviourOf;
  /** `remembered`: asked of SQLite only after something was written. */
  readonly store?: 'asked' | 'remembered';
  /** Where the state lies. */
  readonly folder?: string;
  /** What the volumes say they are; the simulated ones where left out, which are treated like those that copy file by file. */
  readonly driver?: VolumeDriver['name'];
}

/** A world that outlives the control planes over it: simulated ports, a real store, one repository of a project "shop". */
export class SimulatedServer {
  readonly engine: SimulatedEngine;
  readonly volumes: SimulatedVolumes;
  readonly router = createSimulatedRouter();
  readonly repository = new MemoryRepository();
  readonly said: string[] = [];
  readonly ports: Ports;
  builds = 0;
  readonly #project: string;
  readonly #planes: RunningControlPlane[] = [];
  readonly #images = new Set<Digest>();

  /** `test.after` is given what ends it. */
  constructor(test: { after(end: () => void): void }, options: SimulatedServerOptions = {}) {
    const { clock = { now: () => new Date(), monotonicMs: () => performance.now() }, catalog = loadCatalog(), behaviourOf } = options;
    const directory = mkdtempSync(join(options.folder ?? tmpdir(), 'coppice-simulated-'));
    const opened = openStore({ directory, clock });
    const store = options.store === 'remembered' ? rememberedStore(orderedIds(opened)) : opened;
    this.engine = createSimulatedEngine({
      ...(options.clock ? { clock: () => clock.now() } : {}),
      ...(behaviourOf ? { behaviourOf } : {}),
    });
    const { driver = 'simulated' } = options;
    this.volumes = createSimulatedVolumes({ name: driver, costs: 'nothing: there is no data on disk', quota: 'not enforced' });
    this.#project = store.projects.create('shop').id;
    test.after(() => {
      for (const plane of this.#planes) plane.stop();
      store.close();
      rmSync(directory, { recursive: true });
    });
    this.ports = {
      store,
      engine: this.engine,
      volumes: this.volumes,
      router: this.router,
      repositories: this.repository.repositories,
      images: this.#imageBuilder(),
      catalog,
      types: typeDirectory(catalog),
      typeFiles: () => ({}),
      clock,
      settings: { domain: 'localhost', routerAddress: '127.0.0.1:8080', apiUrl: () => 'http://localhost:1', maxEnvironments: 10 },
      log: () => undefined,
    };
  }

  /** A control plane over the ports; ended with the test. */
  serve(ports: Ports = this.ports): RunningControlPlane {
    const plane = createControlPlane(ports);
    this.#planes.push(plane);
    return plane;
  }

  /** Pushes as git's hooks do; a push that is refused before it deploys answers undefined. */
  async push(
    plane: RunningControlPlane,
    push: { readonly previous: GitId; readonly next: GitId; readonly options?: readonly string[]; readonly ref?: string },
  ): Promise<RefResult | undefined> {
    const context = {
      project: this.#project,
      actor: 'ada',
      options: push.options ?? [],
      updates: [{ ref: push.ref ?? mainRef, previous: push.previous, next: push.next }],
      objects: this.repository.objects,
      say: (line: string) => void this.said.push(line),
      signal: new AbortController().signal,
    };
    const verdict = await plane.pushes.prepare(context);
    if (verdict.kind === 'refused') {
      this.said.push(...verdict.lines);
      return undefined;
    }
    return (await plane.pushes.deploy(context))[0];
  }

  #imageBuilder(): Ports['images'] {
    const outlook = (request: BuildRequest): { key: Digest; inputs: [] } => ({
      key: digestOf({ type: request.type.name, version: request.type.version, source: request.application?.source.id ?? '' }),
      inputs: [],
    });
    return {
      hold: () => ({ release: () => undefined }),
      complete: async (images) => new Set(images.map(({ manifest }) => manifest)),
      running: () => [],
      garbage: async (readNeeded) => {
        await readNeeded();
        return { items: [], mark: 0 };
      },
      collect: async ({ items }) => items,
      look: async (request) => {
        const { key, inputs } = outlook(request);
        return { key, inputs, image: this.#images.has(key) ? { manifest: key, config: key } : undefined };
      },
      build: async (request) => {
        const { key, inputs } = outlook(request);
        const built = !this.#images.has(key);
        if (built) this.builds += 1;
        this.#images.add(key);
        return { key, inputs, image: { manifest: key, config: key }, built };
      },
    };
  }
}

/** A repository's file: one application that the simulated engine can probe. */
export function shopFile(version: string): string {
  return `applications:\n  web:\n    type: nodejs:24\n    start: node server.js ${version}\n    healthcheck: { command: ./check }\n`;
}

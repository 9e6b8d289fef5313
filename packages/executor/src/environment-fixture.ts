import { createSimulatedEngine, type SimulatedEngine } from '@coppice/engine';
import {
  CoppiceError,
  type DataSource,
  type DeploymentId,
  type Desired,
  type Digest,
  type EnvironmentId,
  type EnvironmentSpec,
  isClosed,
  type ListedGeneration,
  type NodeName,
  type NodeSpec,
  nodeDigest,
  type ObservedEnvironment,
  type ObservedGeneration,
  type RouteTable,
  routeTableDigest,
  type SnapshotId,
} from '@coppice/model';
import { buildNode, deploymentId, nodeName } from '@coppice/model/builders';
import { makePlan, mountedFolders, type Plan, type RecordedJob, sanitizeHook } from '@coppice/plan';
import { createSimulatedRouter, type SimulatedRouter } from '@coppice/router';
import { createSimulatedVolumes, type SimulatedVolumes, type Volumes } from '@coppice/volumes';
import type { EnvironmentWork, HeldCopy, RoutesNow } from './environment-work.ts';
import { type Execution, executePlan, type StepResult } from './execute-plan.ts';
import { createPerformer } from './performer.ts';
import { probe } from './probe.ts';

const environment = 'e_test' as EnvironmentId;
const host = 'main.shop.localhost';

/** A node that the simulated engine can probe: by a command in it. */
export function probedNode(name: string, overrides: Parameters<typeof buildNode>[1] = {}): NodeSpec {
  const readiness = { probe: { kind: 'command', argv: ['ready'] }, everyMs: 1, withinMs: 50, intervalMs: 1_000, timeoutMs: 100 } as const;
  return buildNode(name, { readiness, ...overrides });
}

/** A release to bring about, and data. */
export interface Wish extends Partial<Pick<Desired, 'exists' | 'run' | 'dataGeneration' | 'dataSource' | 'volumeMoves' | 'keepData'>> {
  readonly spec: EnvironmentSpec | undefined;
  readonly attempt?: DeploymentId;
  /** What the job runs that sanitises. */
  readonly sanitizer?: NodeSpec;
  readonly heldCopy?: HeldCopy;
}

/**
 * One environment over simulated ports, for tests: observes, plans and applies as the control plane does, and throws where the router is
 * given an instance that nobody saw ready, or data is changed that a container mounts. What a test "kills" is only this; its engine and
 * records live on.
 */
export class EnvironmentFixture {
  readonly engine: SimulatedEngine = createSimulatedEngine();
  readonly volumes: SimulatedVolumes = createSimulatedVolumes();
  /** Called around each change of the volumes; to throw is a kill. */
  onVolumes: () => void = () => undefined;
  readonly router: SimulatedRouter = createSimulatedRouter();
  readonly said: string[] = [];
  readonly jobs: (RecordedJob & { readonly deployment: DeploymentId })[] = [];
  /** What was last served, as the control plane would remember it. */
  served: EnvironmentSpec | undefined;
  readonly #seenReady = new Set<string>();
  /** Generations of data whose sanitising has succeeded. */
  readonly #opened = new Set<number>();

  async observe(spec: EnvironmentSpec | undefined): Promise<ObservedEnvironment> {
    const listing = await this.engine.inspect(environment);
    const generations = await Promise.all(listing.generations.map((generation) => this.#probed(generation, spec)));
    const [tables, holds] = await Promise.all([this.router.current(), this.router.holding()]);
    const around = { routes: tables.get(environment), hold: holds.get(environment) };
    const [volumes, dataGeneration] = await Promise.all([this.volumes.inspect(environment), this.volumes.generation(environment)]);
    return { ...listing, generations, volumes, dataGeneration, ...around };
  }

  async plan(wish: Wish): Promise<{ readonly plan: Plan; readonly observed: ObservedEnvironment }> {
    const { spec, sanitizer } = wish;
    const observed = await this.observe(spec);
    const now = { generations: observed.generations, serving: servingOf(spec, observed), jobs: new Map(), held: new Set<NodeName>() };
    const routes = spec && routeTableDigest(this.#table(wish, spec, now));
    const desired = this.desired(wish);
    const jobs = this.jobs.filter((job) => job.deployment === desired.attempt);
    return {
      plan: makePlan({ desired, observed, previous: this.served, jobs, routes, sanitizer, copiesHeld: wish.heldCopy !== undefined }),
      observed,
    };
  }

  /** The wish as it is written down, foreign data that was sanitised being open. */
  desired({ spec, exists = true, run = 'up', dataGeneration = 0, attempt = deploymentId('d_1'), ...data }: Wish): Desired {
    const { dataSource, volumeMoves, keepData } = data;
    const source = dataSource && this.#opened.has(dataGeneration) ? withoutSanitize(dataSource) : dataSource;
    return {
      exists,
      run,
      spec,
      dataGeneration,
      attempt,
      ...(source && { dataSource: source }),
      ...(volumeMoves && { volumeMoves }),
      ...(keepData && { keepData }),
    };
  }

  /** Keeps a copy of another environment's data, which holds one text per volume. */
  async keepCopy(id: SnapshotId, texts: Readonly<Record<string, string>>): Promise<void> {
    const parent = 'e_parent' as EnvironmentId;
    await this.volumes.removeSet(parent);
    for (const [name, text] of Object.entries(texts)) {
      const [node = '', volume = ''] = name.split('/');
      await this.volumes.ensure({ environment: parent, node: nodeName(node), volume }, '1000:1000');
      this.volumes.write({ environment: parent, node: nodeName(node), volume }, text);
    }
    await this.volumes.snapshot({ environment: parent, id });
  }

  /** What each volume holds, as `node/volume`. */
  async texts(): Promise<Readonly<Record<string, string>>> {
    const found = await this.volumes.inspect(environment);
    return Object.fromEntries(found.map(({ node, volume }) => [`${node}/${volume}`, this.volumes.read({ environment, node, volume })]));
  }

  write(node: string, volume: string, text: string): void {
    this.volumes.write({ environment, node: nodeName(node), volume }, text);
  }

  /** Plans and applies once; what is wished serves afterwards where all steps are done. */
  async apply(wish: Wish, options: Partial<Execution> = {}): Promise<readonly StepResult[]> {
    const { plan, observed } = await this.plan(wish);
    const { engine, router } = this;
    const volumes = this.#guarded();
    const nowMs = (): number => performance.now();
    const checked = { ...router, apply: async (id: EnvironmentId, table: RouteTable) => await router.apply(id, this.#checked(table)) };
    const work = this.#work(wish);
    const perform = createPerformer({ engine, volumes, router: checked, work, serving: servingOf(wish.spec, observed), nowMs });
    const results = await executePlan({ plan, perform, signal: new AbortController().signal, nowMs, ...options });
    const late = await perform.settle();
    if (late !== undefined) throw late;
    if (results.every(({ state }) => state === 'done')) this.served = wish.exists === false ? undefined : wish.spec;
    return results;
  }

  /** Ids of the instances the router sends requests to. */
  routed(): readonly string[] {
    const target = this.router.route(host, '/')?.target;
    return target?.kind === 'upstream' ? target.servers.map(({ id }) => id) : [];
  }

  /** What the router does with a request. */
  targetKind(): string {
    return this.router.route(host, '/')?.target.kind ?? 'nothing';
  }

  /** Instances by node, e.g. `web.0`, with their state. */
  async instances(): Promise<readonly { readonly name: string; readonly id: string; readonly state: string; readonly digest: Digest }[]> {
    const { generations } = await this.engine.inspect(environment);
    const all = generations.flatMap(({ node, digest, instances }) => {
      return instances.map(({ id, index, state }) => ({ name: `${node}.${index}`, id, state, digest }));
    });
    return all.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async idOf(name: string): Promise<string> {
    const found = (await this.instances()).filter((instance) => instance.name === name);
    if (found.length !== 1 || !found[0]) throw new Error(`${found.length} instances are named ${name}`);
    return found[0].id;
  }

  /** Addresses that a node's stable address leads to. */
  servingAddresses(node: NodeName): readonly string[] {
    return this.engine.policyOf(environment)?.nodes.find((policy) => policy.node === node)?.serving ?? [];
  }

  /** What a node may reach outside. */
  egress(node: string): unknown {
    return this.engine.policyOf(environment)?.nodes.find((policy) => policy.node === node)?.egress;
  }

  async #probed(generation: ObservedGeneration, spec: EnvironmentSpec | undefined): Promise<ObservedGeneration> {
    const node = [...(spec?.nodes ?? []), ...(this.served?.nodes ?? [])].find(({ name }) => name === generation.node);
    if (!node) return generation;
    const instances = await Promise.all(
      generation.instances.map(async (instance) => {
        const wrong = await probe(this.engine, instance, node.readiness.probe, node.readiness.timeoutMs);
        if (wrong === undefined) this.#seenReady.add(instance.id);
        return { ...instance, readiness: wrong === undefined ? ('ready' as const) : ('unknown' as const) };
      }),
    );
    return { ...generation, instances };
  }

  #checked(table: RouteTable): RouteTable {
    for (const { target } of table.entries) {
      for (const { id } of target.kind === 'upstream' ? target.servers : []) {
        if (!this.#seenReady.has(id)) throw new Error(`the router is led to ${id}, which nobody saw ready`);
      }
    }
    return table;
  }

  #table(wish: Wish, spec: EnvironmentSpec, now: RoutesNow): RouteTable {
    const isShut = isClosed(this.desired(wish));
    const entries = spec.routes.flatMap((route): RouteTable['entries'] => {
      if (route.kind !== 'upstream') return [];
      const generation = now.generations.find(({ node, digest }) => node === route.node && digest === now.serving.get(node));
      const running = (generation?.instances ?? []).filter(({ state }) => state === 'running');
      if (isShut || now.held.has(route.node)) {
        return [{ host, path: '/', headers: {}, access: undefined, target: { kind: 'hold', cause: 'switching' } }];
      }
      const servers = running.map(({ id, address = '' }) => ({ id, address, port: 8080 }));
      return [{ host, path: '/', headers: {}, access: undefined, target: { kind: 'upstream', node: route.node, servers, redirects: [] } }];
    });
    return { entries };
  }

  #work(wish: Wish): EnvironmentWork {
    const { spec, attempt = deploymentId('d_1'), dataGeneration = 0, dataSource, sanitizer } = wish;
    const nodes = new Map([...(this.served?.nodes ?? []), ...(spec?.nodes ?? [])].map((node) => [node.name, node]));
    let isThere = false;
    // In the place of what the control plane does: closed data is to be seen in the policy.
    const isShut = (): boolean => isThere && isClosed(this.desired(wish));
    return {
      environment,
      project: 'shop',
      deployment: attempt,
      node: (name) => {
        const node = nodes.get(name);
        if (!node) throw new CoppiceError('internal', `no release names ${name}`);
        return node;
      },
      variables: (node) => node.variables,
      hosts: () => ({}),
      provisionInput: () => '{}',
      policy: (now) => ({
        edges: [],
        nodes: [...nodes.keys()].sort().map((node) => {
          const own = now.generations.filter((generation) => generation.node === node);
          const addresses = (from: readonly ListedGeneration[]): string[] =>
            from.flatMap(({ instances }) => instances.flatMap(({ address, state }) => (state === 'running' && address ? [address] : [])));
          const serving = addresses(own.filter(({ digest }) => digest === now.serving.get(node)));
          return {
            node,
            address: '10.9.0.1',
            instances: addresses(own),
            serving,
            egress: isShut() ? ('none' as const) : ('open' as const),
          };
        }),
      }),
      routes: (now) => (spec ? this.#table(wish, spec, now) : { entries: [] }),
      jobs: () =>
        this.jobs
          .filter((job) => job.deployment === attempt || job.hook === sanitizeHook(dataGeneration))
          .map((job) => ({ ...job, exitCode: undefined })),
      recordJob: (job) => this.#record({ ...job, deployment: attempt }),
      linger: () => 'go',
      sanitize: () => dataSource?.sanitize && { ...dataSource.sanitize, mounted: new Set(spec ? mountedFolders(spec.nodes) : []) },
      sanitizeNode: () => {
        if (!sanitizer) throw new CoppiceError('internal', 'no release demands it');
        return sanitizer;
      },
      forgetAside: () => undefined,
      heldCopy: wish.heldCopy,
      switched: () => {
        isThere = true;
      },
      sanitized: () => void this.#opened.add(dataGeneration),
      noteReady: (instances) => {
        for (const { id } of instances) this.#seenReady.add(id);
      },
      say: (line) => void this.said.push(line),
    };
  }

  /** The volumes, which may be changed only while no container mounts what is changed. */
  #guarded(): Volumes {
    const whole: readonly string[] = ['replace', 'setAside', 'moveNode', 'removeSet'] satisfies (keyof Volumes)[];
    return new Proxy<Volumes>(this.volumes, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        const isWhole = whole.includes(String(name));
        if (typeof method !== 'function' || (!isWhole && name !== 'ensure' && name !== 'snapshot')) return method;
        return async (...input: readonly unknown[]): Promise<unknown> => {
          const [change] = input;
          const moved = name === 'moveNode' ? Object.values(change ?? {}).map((node) => `/data/${node}/`) : [''];
          const mounts = (paths: readonly string[]): boolean => paths.some((path) => moved.some((part) => path.includes(part)));
          const holder = this.engine.containers().find(({ hostPaths }) => mounts(hostPaths));
          if (isWhole && holder) throw new Error(`${holder.node} mounts what ${String(name)} changes`);
          this.onVolumes();
          const result: unknown = await Reflect.apply(method, target, input);
          this.onVolumes();
          return result;
        };
      },
    });
  }

  /** The newest record of a job is the one that counts. */
  #record(job: RecordedJob & { readonly deployment: DeploymentId }): void {
    const older = this.jobs.findIndex(
      ({ deployment, node, hook }) => deployment === job.deployment && node === job.node && hook === job.hook,
    );
    if (older < 0) this.jobs.push(job);
    else this.jobs[older] = job;
  }
}

function withoutSanitize({ sanitize: _, ...open }: DataSource): DataSource {
  return open;
}

/** As the control plane decides it: the desired generation where all of it is ready, else another that runs. */
function servingOf(spec: EnvironmentSpec | undefined, { generations }: ObservedEnvironment): ReadonlyMap<NodeName, Digest> {
  const serving = new Map<NodeName, Digest>();
  for (const node of spec?.nodes ?? []) {
    const own = generations.filter((generation) => generation.node === node.name);
    const ready = own.find(
      ({ digest, instances }) => digest === nodeDigest(node) && instances.every(({ readiness }) => readiness === 'ready'),
    );
    const other = own.find(({ digest, instances }) => digest !== nodeDigest(node) && instances.some(({ state }) => state === 'running'));
    serving.set(node.name, (ready ?? other)?.digest ?? nodeDigest(node));
  }
  for (const { node, digest } of generations) if (!serving.has(node)) serving.set(node, digest);
  return serving;
}

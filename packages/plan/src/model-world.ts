import {
  type Desired,
  type Digest,
  digestOf,
  type EnvironmentSpec,
  isClosed,
  type NodeName,
  type NodeSpec,
  nodeDigest,
  type ObservedEnvironment,
  type ObservedInstance,
} from '@coppice/model';
import { keptMounts } from './data-change.ts';
import { ModelData, type ModelVolume } from './model-data.ts';
import type { PlanInput, RecordedJob } from './plan-input.ts';
import { jobHook, type Step } from './plan-value.ts';
import { wantedInstances } from './wanted-instances.ts';

interface LiveGeneration {
  readonly node: NodeName;
  readonly digest: Digest;
  readonly deployment: ObservedEnvironment['generations'][number]['deployment'];
  instances: ObservedInstance[];
}

export interface ModelStart {
  readonly desired: Desired;
  readonly previous: PlanInput['previous'];
  readonly observed: ObservedEnvironment;
  /** What generations are of that no spec names. */
  readonly leftOvers?: readonly NodeSpec[];
  readonly kept?: ConstructorParameters<typeof ModelData>[1];
  readonly sanitizer?: NodeSpec | undefined;
  /** As the plan is told: not all nodes come up. */
  readonly resting?: ReadonlySet<NodeName> | undefined;
}

/**
 * A tiny world for tests of the plan: what each step would do to an engine, as plain data, with the rules of the architecture checked
 * at every step. Throws Error where a plan breaks one.
 */
export class ModelWorld {
  readonly data: ModelData;
  #desired: Desired;
  readonly #nodes: ReadonlyMap<NodeName, NodeSpec>;
  readonly #served: ReadonlyMap<NodeName, NodeSpec>;
  readonly #specs: ReadonlyMap<Digest, NodeSpec>;
  /** What sanitising needs. */
  readonly #needs: ReadonlySet<NodeName>;
  readonly #resting: ReadonlySet<NodeName>;
  readonly #generations = new Map<string, LiveGeneration>();
  readonly #jobs: RecordedJob[] = [];
  #network: boolean;
  #routes: Digest | undefined;
  #held: readonly NodeName[] = [];
  /** All requests wait since the environment slept. */
  #isAsleep: boolean;
  /** Where routes led before. */
  readonly #routedBefore: readonly NodeName[];
  #started = 0;

  constructor(start: ModelStart) {
    const { desired, previous, observed, leftOvers = [], kept = new Map<never, readonly ModelVolume[]>(), sanitizer } = start;
    this.#resting = start.resting ?? new Set();
    const isUp = desired.exists && desired.run === 'up';
    const nodes = desired.spec?.nodes ?? [];
    this.#desired = desired;
    this.#nodes = new Map(isUp ? nodes.map((node) => [node.name, node]) : []);
    this.#served = new Map((previous?.nodes ?? []).map((node) => [node.name, node]));
    this.#specs = new Map([...leftOvers, ...this.#served.values(), ...nodes].map((node) => [nodeDigest(node), node]));
    this.#needs = this.#above(sanitizer);
    for (const { node, digest, deployment, instances } of observed.generations) {
      this.#generations.set(keyOf(node, digest), { node, digest, deployment, instances: [...instances] });
    }
    this.data = new ModelData(observed, kept);
    this.#network = observed.network;
    this.#routes = observed.routes;
    this.#isAsleep = observed.hold === 'suspended';
    this.#routedBefore = routedBy(previous);
  }

  get jobs(): readonly RecordedJob[] {
    return this.#jobs;
  }

  get desired(): Desired {
    return this.#desired;
  }

  observe(): ObservedEnvironment {
    return {
      network: this.#network,
      generations: [...this.#generations.values()],
      jobs: [],
      ...this.data.observe(),
      routes: this.#routes,
      hold: this.#isAsleep ? 'suspended' : this.#held.length > 0 ? 'switching' : undefined,
    };
  }

  /** The table as it should be, once every routed node's instances are there. */
  wantedRoutes(): Digest | undefined {
    if (this.#isClosed()) return digestOf('closed');
    const routed = this.#routed().filter((name) => this.#nodes.has(name));
    const servers = routed.map((name) => this.#ready(name));
    return servers.every((ids) => ids.length > 0) ? digestOf({ routed, servers }) : undefined;
  }

  /** Does what the step says. */
  apply(step: Step): void {
    switch (step.kind) {
      case 'create-network':
        this.#network = true;
        break;
      case 'create-volumes':
        this.#checkData(step.node, step.id);
        for (const mount of keptMounts(this.#node(step.node))) this.data.ensure(mount.node ?? step.node, mount.volume);
        break;
      case 'run-job':
        this.#runJob(step);
        break;
      case 'provision':
        this.#jobs.push({ node: step.node, hook: 'provision', state: 'succeeded' });
        break;
      case 'start':
        this.#start(step.node, step.digest);
        break;
      case 'await-ready':
        this.#change(step, (instance) => ({ ...instance, readiness: 'ready' }));
        break;
      case 'resize':
        this.#change(step, (instance) => ({ ...instance, ...resourcesOf(this.#node(step.node)) }));
        break;
      case 'hold-routes':
        this.#held = step.nodes;
        this.#isAsleep = false;
        this.#routes = digestOf({ held: step.nodes });
        break;
      case 'switch-routes':
        check(!this.#isClosed() || this.#resting.size > 0 || this.#nodes.size === 0, 'routes are switched before the data is sanitised');
        for (const name of this.#resting.size > 0 ? [] : this.#nodes.keys()) {
          check(this.#ready(name).length >= wantedInstances(this.#node(name)), `routes are switched while ${name} is not ready`);
        }
        this.#held = [];
        this.#isAsleep = false;
        this.#routes = this.wantedRoutes() ?? this.#routes;
        break;
      case 'stop':
        this.#stop(step.node, step.digest);
        break;
      case 'remove-instances':
        this.#change(step, (instance) => (step.instances.includes(instance.id) ? undefined : instance));
        this.#routes = this.#routes === undefined || this.#held.length > 0 ? this.#routes : (this.wantedRoutes() ?? this.#routes);
        break;
      case 'switch-data':
        check(this.#isSwitchPending(), 'data is replaced that is as desired');
        this.#checkNobodyMounts(step.id, () => true);
        this.data.replace(step);
        break;
      case 'copy-data':
        this.#checkAllWait(step.id);
        break;
      case 'move-volumes':
        check(!this.#isSwitchPending(), 'volumes are moved in data that is about to be replaced');
        for (const { from, to } of this.data.move(step.moves)) this.#checkNobodyMounts(step.id, (owner) => [from, to].includes(owner));
        break;
      case 'remove-routes':
        this.#routes = undefined;
        break;
      case 'remove-network':
        this.#network = false;
        break;
      case 'remove-volumes':
        check(!this.#desired.exists, 'the data is removed of an environment that shall exist');
        check(step.keepAs === this.#desired.keepData, 'the data is not kept as desired');
        this.#checkNobodyMounts(step.id, () => true);
        this.data.remove(step.keepAs);
        break;
      default:
        break;
    }
    this.#checkExclusive(step);
  }

  #runJob(step: Extract<Step, { readonly kind: 'run-job' }>): void {
    const hook = jobHook(step);
    check(!this.#jobs.some((job) => job.node === step.node && job.hook === hook), `${step.id} runs twice`);
    check(this.#network, `${step.id} runs without a network`);
    this.#jobs.push({ node: step.node, hook, state: 'succeeded' });
    if (step.hook === 'sanitize') this.#sanitize(step.id);
    else check(!this.#isClosed(), `${step.id} runs on data that is not sanitised`);
    if (step.hook !== 'deploy') return;
    this.#checkDependencies(step.node);
    this.#checkData(step.node, step.id);
  }

  #sanitize(id: string): void {
    check(this.#isClosed(), `${id} runs on data that is open`);
    check(!this.#isSwitchPending() && this.#movesPending().length === 0, `${id} runs on data that is about to be replaced`);
    for (const { node, digest, instances } of this.#generations.values()) {
      const mounts = this.#kept(digest).length > 0;
      check(!mounts || this.#needs.has(node) || instances.length === 0, `${node} holds data while it is sanitised`);
    }
    for (const name of this.#needs) check(this.#isReady(name), `${id} comes before ${name} is ready`);
    const { sanitize: _, ...dataSource } = this.#desired.dataSource ?? fail();
    this.#desired = { ...this.#desired, dataSource };
  }

  #isClosed(): boolean {
    return isClosed(this.#desired);
  }

  #isSwitchPending(): boolean {
    const { exists, dataSource, dataGeneration } = this.#desired;
    return exists && dataSource !== undefined && this.data.generation !== dataGeneration;
  }

  #movesPending(): readonly string[] {
    return this.data.pending(this.#desired.volumeMoves ?? []).flatMap(({ from, to }) => [from, to]);
  }

  /** The data that a node is about to use is what it shall be. */
  #checkData(name: NodeName, id: string): void {
    const owners = keptMounts(this.#node(name)).map((mount) => mount.node ?? name);
    if (owners.length === 0) return;
    check(!this.#isSwitchPending(), `${id} comes before the data is replaced`);
    for (const moving of this.#movesPending()) check(!owners.includes(moving as NodeName), `${id} comes before ${moving} is moved`);
  }

  /** Whatever state its instances are in: one that was only created may still start. */
  #checkNobodyMounts(id: string, isMeant: (owner: string) => boolean): void {
    for (const { node, digest, instances } of this.#generations.values()) {
      const mounts = this.#kept(digest).some((mount) => isMeant(mount.node ?? node));
      check(!mounts || instances.length === 0, `${node} holds what ${id} changes`);
    }
  }

  #kept(digest: Digest): NodeSpec['mounts'] {
    return keptMounts(this.#specs.get(digest) ?? fail());
  }

  #routed(): readonly NodeName[] {
    return routedBy(this.#desired.spec);
  }

  /** Desired nodes that a node needs, through any number of others. */
  #above(of: NodeSpec | undefined): ReadonlySet<NodeName> {
    const found = new Set((of?.relationships ?? []).map(({ node }) => node).filter((name) => this.#nodes.has(name)));
    for (const name of found) for (const { node } of this.#node(name).relationships) found.add(node);
    return found;
  }

  #node(name: NodeName): NodeSpec {
    const node = this.#nodes.get(name);
    if (!node) throw new Error(`${name} is not desired`);
    return node;
  }

  #ready(name: NodeName): readonly string[] {
    const node = this.#node(name);
    const instances = this.#generations.get(keyOf(name, nodeDigest(node)))?.instances ?? [];
    return instances
      .filter(({ state, readiness }) => state === 'running' && readiness !== 'unready')
      .sort((a, b) => a.index - b.index || (a.id < b.id ? -1 : 1))
      .slice(0, wantedInstances(node))
      .map(({ id }) => id);
  }

  #start(name: NodeName, digest: Digest): void {
    check(this.#network, `${name} starts without a network`);
    check(!this.#isClosed() || this.#needs.has(name), `${name} starts before the data is sanitised`);
    this.#checkDependencies(name);
    this.#checkData(name, `the start of ${name}`);
    const node = this.#node(name);
    for (const mount of keptMounts(node)) {
      check(this.data.has(mount.node ?? name, mount.volume), `${name} starts without its volume ${mount.volume}`);
    }
    const deployment = this.#desired.attempt ?? fail();
    const generation = this.#generations.get(keyOf(name, digest)) ?? { node: name, digest, deployment, instances: [] };
    this.#generations.set(keyOf(name, digest), generation);
    const taken = new Set(generation.instances.map(({ index }) => index));
    for (let index = 0; index < wantedInstances(node); index += 1) {
      if (taken.has(index)) continue;
      this.#started += 1;
      generation.instances.push({
        id: `new-${this.#started}`,
        index,
        state: 'running',
        address: '10.0.0.9',
        exitCode: undefined,
        outOfMemory: false,
        ...resourcesOf(node),
        startedAt: undefined,
        readiness: 'unknown',
      });
    }
  }

  #checkDependencies(name: NodeName): void {
    for (const { node } of this.#node(name).relationships) this.#checkReady(node, `the start of ${name}`);
  }

  #checkReady(name: NodeName, id: string): void {
    check(this.#isReady(name) || this.#resting.has(name), `${id} comes before ${name} is ready`);
  }

  #isReady(name: NodeName): boolean {
    const live = this.#generations.get(keyOf(name, nodeDigest(this.#node(name))))?.instances ?? [];
    return live.some(({ state, readiness }) => state === 'running' && readiness === 'ready');
  }

  #stop(name: NodeName, digest: Digest): void {
    const desired = this.#nodes.get(name);
    const isDataStop = this.#goesForData(name, digest);
    check(isDataStop || !desired || nodeDigest(desired) !== digest, `${name} is stopped although it is desired`);
    if (isDataStop && this.#isLive(name, digest)) this.#checkHeld(name);
    this.#checkDependantsGone(name, digest, isDataStop);
    this.#generations.delete(keyOf(name, digest));
  }

  /** Whether it mounts what is to become another, or what nobody may hold yet. */
  #goesForData(name: NodeName, digest: Digest): boolean {
    const owners = this.#kept(digest).map((mount) => mount.node ?? name);
    if (owners.length === 0) return false;
    const moving = this.#movesPending();
    const isUnneeded = this.#isClosed() && !this.#needs.has(name);
    return this.#isSwitchPending() || isUnneeded || owners.some((owner) => moving.includes(owner));
  }

  /** Requests that would reach what stops wait. */
  #checkHeld(name: NodeName): void {
    if (this.#nodes.size === 0) return;
    for (const routed of this.#routed()) {
      const needs = [...this.#above(this.#nodes.get(routed)), routed];
      check(!needs.includes(name) || this.#held.includes(routed), `${name} stops for its data while requests reach it`);
    }
  }

  /** No request reaches anything. */
  #checkAllWait(id: string): void {
    for (const name of this.#isAsleep ? [] : [...this.#routedBefore, ...this.#routed()])
      check(this.#held.includes(name), `${id} comes while requests reach ${name}`);
    check(this.data.generation !== undefined, `${id} comes before there is data`);
  }

  /** What was served goes dependants first; a dependant that is replaced in place of its old one has gone already, or overlaps. */
  #checkDependantsGone(name: NodeName, digest: Digest, isDataStop: boolean): void {
    const before = this.#served.get(name);
    // What an attempt left serves nobody.
    if (before === undefined || nodeDigest(before) !== digest) return;
    const desired = this.#nodes.get(name);
    const overlaps = (node: NodeSpec): boolean => node.mounts.every((mount) => !mount.exclusive);
    for (const [other, spec] of this.#served) {
      const isOld = spec.relationships.some(({ node }) => node === name) && this.#isLive(other, nodeDigest(spec));
      if (!isOld || this.#resting.has(other)) continue;
      const stays = this.#nodes.get(other);
      const goesForData = this.#goesForData(other, nodeDigest(spec));
      const goes = !stays || nodeDigest(stays) !== nodeDigest(spec);
      const bothLate = overlaps(spec) && (!stays || overlaps(stays)) && (!desired || (overlaps(desired) && overlaps(before)));
      const isFirst = isDataStop ? goesForData : goes && bothLate && !goesForData;
      check(!isFirst, `${name} stops before ${other}, which needs it`);
    }
  }

  #isLive(name: NodeName, digest: Digest): boolean {
    return this.#generations.get(keyOf(name, digest))?.instances.some(({ state }) => state === 'running') ?? false;
  }

  #change(
    at: { readonly node: NodeName; readonly digest: Digest },
    change: (instance: ObservedInstance) => ObservedInstance | undefined,
  ): void {
    const generation = this.#generations.get(keyOf(at.node, at.digest));
    if (generation) generation.instances = generation.instances.flatMap((instance) => change(instance) ?? []);
  }

  #checkExclusive(step: Step): void {
    for (const [name, node] of this.#nodes) {
      if (step.kind !== 'start' || step.node !== name) continue;
      const own = [...this.#generations.values()].filter((generation) => generation.node === name);
      const live = own.flatMap(({ digest, instances }) => instances.filter(({ state }) => state === 'running').map(() => digest));
      const exclusive = [node, this.#served.get(name)].filter((spec) => spec?.mounts.some((mount) => mount.exclusive));
      const held = exclusive.some((spec) => spec && live.includes(nodeDigest(spec)));
      check(!held || live.length <= 1, `${live.length} instances of ${name} hold an exclusive volume after ${step.id}`);
    }
  }
}

function routedBy(spec: EnvironmentSpec | undefined): readonly NodeName[] {
  return (spec?.routes ?? []).flatMap((route) => (route.kind === 'upstream' ? [route.node] : []));
}

function keyOf(node: NodeName, digest: Digest): string {
  return `${node} ${digest}`;
}

function resourcesOf({ resources }: NodeSpec): { readonly cpu: number; readonly memoryBytes: number } {
  return { cpu: resources.cpu, memoryBytes: resources.memoryBytes };
}

function check(holds: boolean | undefined, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

function fail(): never {
  throw new Error('the model world is not whole');
}

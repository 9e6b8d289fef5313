import {
  canonicalJson,
  type DeploymentId,
  type Digest,
  digestOf,
  type EnvironmentSpec,
  type NodeName,
  type NodeSpec,
  nodeDigest,
  type ObservedEnvironment,
  type ObservedInstance,
} from '@coppice/model';
import type { RecordedJob } from './plan-input.ts';
import type { Step } from './plan-value.ts';
import { wantedInstances } from './wanted-instances.ts';

interface LiveGeneration {
  readonly node: NodeName;
  readonly digest: Digest;
  deployment: DeploymentId;
  instances: ObservedInstance[];
}

/**
 * A tiny world for tests of the plan: what each step would do to an engine, as plain data, with the rules of the architecture checked
 * at every step. Throws Error where a plan breaks one.
 */
export class ModelWorld {
  readonly #spec: EnvironmentSpec;
  readonly #nodes: ReadonlyMap<NodeName, NodeSpec>;
  readonly #served: ReadonlyMap<NodeName, NodeSpec>;
  readonly #attempt: DeploymentId;
  readonly #generations = new Map<string, LiveGeneration>();
  readonly #volumes = new Set<string>();
  readonly #jobs: RecordedJob[] = [];
  #network: boolean;
  #routes: Digest | undefined;
  #started = 0;

  constructor(start: {
    readonly spec: EnvironmentSpec;
    readonly previous: EnvironmentSpec | undefined;
    readonly observed: ObservedEnvironment;
    readonly attempt: DeploymentId;
  }) {
    this.#spec = start.spec;
    this.#attempt = start.attempt;
    this.#nodes = new Map(start.spec.nodes.map((node) => [node.name, node]));
    this.#served = new Map((start.previous?.nodes ?? []).map((node) => [node.name, node]));
    for (const { node, digest, deployment, instances } of start.observed.generations) {
      this.#generations.set(keyOf(node, digest), { node, digest, deployment, instances: [...instances] });
    }
    for (const { node, volume } of start.observed.volumes) this.#volumes.add(canonicalJson([node, volume]));
    this.#network = start.observed.network;
    this.#routes = start.observed.routes;
  }

  get jobs(): readonly RecordedJob[] {
    return this.#jobs;
  }

  observe(): ObservedEnvironment {
    return {
      network: this.#network,
      generations: [...this.#generations.values()],
      jobs: [],
      volumes: [...this.#volumes].map((text) => {
        const [node, volume] = JSON.parse(text) as [NodeName, string];
        return { node, volume };
      }),
      routes: this.#routes,
      hold: undefined,
    };
  }

  /** The table as it should be, once every routed node's instances are there. */
  wantedRoutes(): Digest | undefined {
    const routed = this.#spec.routes.flatMap((route) => (route.kind === 'upstream' ? [route.node] : []));
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
        for (const mount of this.#node(step.node).mounts) this.#volumes.add(canonicalJson([mount.node ?? step.node, mount.volume]));
        break;
      case 'run-job':
        if (step.hook === 'deploy') this.#checkDependencies(step.node);
        check(!this.#jobs.some((job) => job.node === step.node && job.hook === step.hook), `${step.id} runs twice`);
        this.#jobs.push({ node: step.node, hook: step.hook, state: 'succeeded' });
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
      case 'switch-routes':
        for (const name of this.#nodes.keys()) {
          check(this.#ready(name).length >= wantedInstances(this.#node(name)), `routes are switched while ${name} is not ready`);
        }
        this.#routes = this.wantedRoutes() ?? this.#routes;
        break;
      case 'stop':
        this.#stop(step.node, step.digest);
        break;
      case 'remove-instances':
        this.#change(step, (instance) => (step.instances.includes(instance.id) ? undefined : instance));
        this.#routes = this.#routes === undefined ? undefined : (this.wantedRoutes() ?? this.#routes);
        break;
      default:
        break;
    }
    this.#checkExclusive(step);
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
    this.#checkDependencies(name);
    const node = this.#node(name);
    for (const mount of node.mounts) {
      check(this.#volumes.has(canonicalJson([mount.node ?? name, mount.volume])), `${name} starts without its volume ${mount.volume}`);
    }
    const generation = this.#generations.get(keyOf(name, digest)) ?? { node: name, digest, deployment: this.#attempt, instances: [] };
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
    for (const { node } of this.#node(name).relationships) {
      const live = this.#generations.get(keyOf(node, nodeDigest(this.#node(node))))?.instances ?? [];
      const ready = live.some((instance) => instance.state === 'running' && instance.readiness === 'ready');
      check(ready, `${name} starts before ${node} is ready`);
    }
  }

  #stop(name: NodeName, digest: Digest): void {
    const desired = this.#nodes.get(name);
    check(!desired || nodeDigest(desired) !== digest, `${name} is stopped although it is desired`);
    const before = this.#served.get(name);
    // What an attempt left serves nobody.
    const isLeftOver = before === undefined || nodeDigest(before) !== digest;
    // What was served goes dependants first; a dependant that is replaced in place of its old one has gone already, or overlaps.
    const overlaps = (node: NodeSpec): boolean => node.mounts.every((mount) => !mount.exclusive);
    for (const [other, before] of isLeftOver ? [] : this.#served) {
      const isOld = before.relationships.some(({ node }) => node === name) && this.#isLive(other, nodeDigest(before));
      const stays = this.#nodes.get(other);
      const bothLate = overlaps(before) && (!stays || overlaps(stays)) && (!desired || (overlaps(desired) && this.#overlapped(name)));
      const goes = !stays || nodeDigest(stays) !== nodeDigest(before);
      check(!(isOld && goes && bothLate), `${name} stops before ${other}, which needs it`);
    }
    this.#generations.delete(keyOf(name, digest));
  }

  #overlapped(name: NodeName): boolean {
    return this.#served.get(name)?.mounts.every((mount) => !mount.exclusive) ?? true;
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

function keyOf(node: NodeName, digest: Digest): string {
  return `${node} ${digest}`;
}

function resourcesOf({ resources }: NodeSpec): { readonly cpu: number; readonly memoryBytes: number } {
  return { cpu: resources.cpu, memoryBytes: resources.memoryBytes };
}

function check(holds: boolean | undefined, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

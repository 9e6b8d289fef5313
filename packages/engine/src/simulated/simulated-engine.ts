import { PassThrough } from 'node:stream';
import {
  CoppiceError,
  type Digest,
  type EnvironmentId,
  type JobKey,
  type ListedInstance,
  type ListedJob,
  type NetworkPolicy,
  type NodeName,
  type ObservedJob,
} from '@coppice/model';
import type { Engine, EngineListing, ExecResult, ExecSpec, GenerationRef, GenerationSpec, JobSpec } from '../engine.ts';
import type { BehaviourOf, ListingFault, OnEffect, SimulatedBehaviour, SimulatedEffect, SimulatedSight } from './simulated-behaviour.ts';
import { addForeignContainer, createSimulatedContainer, startSimulatedContainer } from './simulated-containers.ts';
import { readHints, readLog, waitJob } from './simulated-waits.ts';
import { nameOf, observeInstance, observeJob, type SimulatedContainer, SimulatedWorld, sightOf } from './simulated-world.ts';

/** What a test may set and see beside the port. The world outlives a "crashed" control plane: give the same engine to the next one. */
export interface SimulatedEngine extends Engine {
  /** How what is started from now on behaves: the instances of a node (`web`), one of them (`web.0`), or a job (`web deploy`; else it ends well). */
  behave(who: string, behaviour: SimulatedBehaviour): void;
  /** Replaces the seam that sees every effect. */
  onEffect(hook: OnEffect): void;
  /** What listings show from now on. */
  listings(fault: ListingFault): void;
  /** Whether every call is answered with `engine-unreachable`. */
  reachable(state: 'up' | 'down'): void;
  /** Looks at an instance as a readiness probe does; counts towards `readyAfterProbes`. */
  probeInstance(id: string): boolean;
  /** Ends a running process from within: a crash, or a job's end. */
  crash(id: string, end: { readonly exitCode: number; readonly outOfMemory?: boolean }): void;
  /** Removes a container by hand, whatever it does. */
  vanish(id: string): void;
  /** Starts another server's container beside an environment's; answers its id. */
  addForeign(environment: EnvironmentId, node: NodeName): string;
  /** Every container there is, oldest first. */
  containers(): readonly SimulatedSight[];
  policyOf(environment: EnvironmentId): NetworkPolicy | undefined;
  /** All effects that took place, oldest first. */
  readonly effects: readonly SimulatedEffect[];
}

export interface SimulatedEngineOptions {
  readonly onEffect?: OnEffect;
  /** A virtual clock of its own where left out. */
  readonly clock?: () => Date;
  readonly behaviourOf?: BehaviourOf;
}

/** An engine in memory: deterministic, with a virtual clock; the same calls give the same ids, addresses and times. */
export function createSimulatedEngine(options: SimulatedEngineOptions = {}): SimulatedEngine {
  const world = new SimulatedWorld(options.clock);
  const behaviourOf: BehaviourOf = options.behaviourOf ?? (() => undefined);
  if (options.onEffect !== undefined) world.onEffect = options.onEffect;
  const behaviours = new Map<string, SimulatedBehaviour>();
  const capabilities = { resizeInPlace: true, liveRestore: true };
  let fault: ListingFault = 'none';
  let stale = new Map<EnvironmentId, EngineListing>();
  let reachable = true;
  let ensures = 0;
  const ensured = new Map<Digest, number>();

  const answer = (): void => {
    if (!reachable) throw new CoppiceError('engine-unreachable', 'the simulated engine does not answer');
  };
  const look = (): Map<EnvironmentId, EngineListing> => {
    answer();
    if (fault === 'failing') throw new CoppiceError('engine-failed', 'the simulated listing fails');
    if (fault === 'empty') return new Map();
    return fault === 'stale' ? stale : world.listings();
  };
  const setFrozen = async (container: SimulatedContainer, frozen: boolean): Promise<void> => {
    if (container.state !== 'running' || container.frozen === frozen) return;
    await world.effect(effectOf(frozen ? 'freeze-container' : 'thaw-container', container), () => {
      if (container.state === 'running') container.frozen = frozen;
    });
  };
  const remove = async (container: SimulatedContainer): Promise<void> => {
    await setFrozen(container, false);
    if (container.state === 'running') {
      await world.effect(effectOf('stop-container', container), () => {
        if (container.state === 'running') world.end(container, 137, false);
      });
    }
    await world.effect(effectOf('remove-container', container), () => {
      world.containers.delete(container.id);
      world.reservations.release(container.environment, container.address);
    });
  };
  const instancesOf = (ref: GenerationRef): readonly SimulatedContainer[] =>
    world.of(ref.environment).filter((container) => isOf(container, ref));

  return {
    capabilities,
    effects: world.effects,
    behave: (who, behaviour) => void behaviours.set(who, behaviour),
    onEffect(hook) {
      world.onEffect = hook;
    },
    listings(next) {
      stale = structuredClone(world.listings());
      fault = next;
    },
    reachable(state) {
      reachable = state === 'up';
    },
    probeInstance: (id) => probeContainer(world.container(id)),
    crash: (id, end) => world.end(world.container(id), end.exitCode, end.outOfMemory ?? false),
    vanish(id) {
      const { environment, address } = world.container(id);
      world.containers.delete(id);
      world.reservations.release(environment, address);
      world.hint(environment);
    },
    addForeign: (environment, node) => addForeignContainer(world, environment, node),
    containers: () => [...world.containers.values()].map(sightOf),
    policyOf: (environment) => world.policies.get(environment),

    async probe() {
      answer();
      return { name: 'simulated', version: '1', apiVersion: '1', capabilities };
    },
    list: async () => look(),
    inspect: async (environment) => look().get(environment) ?? { network: false, generations: [], jobs: [] },
    inspectGeneration: async (ref) =>
      look()
        .get(ref.environment)
        ?.generations.find(({ node, digest }) => node === ref.node && digest === ref.digest),
    async members(environment) {
      const { network = false, generations = [], jobs = [] } = look().get(environment) ?? {};
      return {
        network,
        generations: generations.map((generation) => ({ ...generation, instances: generation.instances.map(listedInstance) })),
        jobs: jobs.map((job) => ({ deployment: job.deployment, node: job.node, hook: job.hook, ...placeOf(job) })),
      };
    },
    async ensureImage(image) {
      answer();
      ensured.set(image.config, ensures++);
      if (world.images.has(image.config)) return;
      await world.effect({ kind: 'pull-image', environment: undefined, what: image.config }, () => world.images.add(image.config));
    },
    async presentImages(images) {
      answer();
      return new Set(images.map((image) => image.config).filter((config) => world.images.has(config)));
    },
    async ownImages() {
      answer();
      return { images: [...world.images].map((config) => ({ config, bytes: 0, used: world.isUsed(config) })), mark: ensures };
    },
    async removeImages({ images, mark }, configurations) {
      answer();
      const gone = new Set<Digest>();
      const mayGo = (config: Digest): boolean => configurations.has(config) && (ensured.get(config) ?? -1) < mark && !world.isUsed(config);
      for (const config of images.map((image) => image.config).filter(mayGo)) {
        const remove = (): boolean => mayGo(config) && world.images.delete(config);
        if (await world.effect({ kind: 'remove-image', environment: undefined, what: config }, remove)) gone.add(config);
      }
      return gone;
    },
    async ensureNetwork(environment) {
      answer();
      const found = world.networks.get(environment);
      if (found !== undefined) return found;
      const network = world.nextNetwork();
      await world.effect({ kind: 'create-network', environment, what: network.subnet }, () => world.networks.set(environment, network));
      return network;
    },
    async removeNetwork(environment) {
      answer();
      const network = world.networks.get(environment);
      if (network === undefined) return;
      if (world.of(environment).some((container) => container.state === 'running')) {
        throw new CoppiceError('engine-failed', `the network of ${environment} has active endpoints`);
      }
      await world.effect({ kind: 'remove-network', environment, what: network.subnet }, () => {
        world.networks.delete(environment);
        world.policies.delete(environment);
      });
    },
    async applyPolicy(environment, policy) {
      answer();
      await world.effect({ kind: 'apply-policy', environment, what: '' }, () => world.policies.set(environment, policy));
    },
    async startGeneration(spec) {
      answer();
      const indexes = Array.from({ length: spec.instances }, (_, index) => index);
      const instances = [];
      for (const index of indexes) instances.push(await startInstance(spec, index));
      return { node: spec.node, digest: spec.digest, deployment: spec.deployment, instances };
    },
    async resizeGeneration(ref, resources) {
      answer();
      for (const container of instancesOf(ref)) {
        await world.effect(effectOf('resize-container', container), () => {
          container.cpu = resources.cpu;
          container.memoryBytes = resources.memoryBytes;
        });
      }
    },
    async stopGeneration(ref) {
      answer();
      for (const container of instancesOf(ref)) await remove(container);
    },
    async removeInstances(environment, ids) {
      answer();
      const found = ids.map((id) => world.containers.get(id)).filter((container) => container !== undefined);
      if (found.some((container) => container.environment !== environment)) {
        throw new CoppiceError('not-allowed', `an instance is not of the environment ${environment}`);
      }
      for (const container of found) await remove(container);
    },
    async freeze(environment) {
      answer();
      const moving = (): SimulatedContainer | undefined =>
        world.of(environment).find(({ state, frozen }) => state === 'running' && !frozen);
      for (let next = moving(); next !== undefined; next = moving()) await setFrozen(next, true);
    },
    async thaw(environment) {
      answer();
      for (const container of world.of(environment)) await setFrozen(container, false);
    },
    startJob: (spec) => startJob(spec),
    async waitJob(job, signal) {
      answer();
      return await waitJob(world, job, signal);
    },
    async removeJob(environment, key) {
      answer();
      const job = world.of(environment).find((container) => hasKey(container, key));
      if (job !== undefined) await remove(job);
    },
    logs: (id, logOptions) => readLog(world, id, logOptions),
    async exec(id, command) {
      answer();
      return runIn(world.container(id), command);
    },
    async attach(id, command) {
      const result = runIn(world.container(id), { ...command, timeoutMs: 0 });
      const [input, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
      stdout.end(result.stdout);
      stderr.end(result.stderr);
      return { input, stdout, stderr, resize: async () => undefined, exitCode: async () => result.exitCode };
    },
    hints: (signal) => readHints(world, signal),
  };

  async function startInstance(spec: GenerationSpec, index: number): Promise<ReturnType<typeof observeInstance>> {
    const found = instancesOf(spec).find((container) => container.owner.kind === 'instance' && container.owner.index === index);
    if (found?.state === 'running') return observeInstance(found, index);
    if (found?.state === 'exited') await remove(found);
    const owner = { kind: 'instance', ref: { environment: spec.environment, node: spec.node, digest: spec.digest }, index } as const;
    const made =
      found?.state === 'created'
        ? found
        : await createSimulatedContainer(world, { owner, spec, deployment: spec.deployment, behaviours, behaviourOf });
    await startSimulatedContainer(world, made);
    return observeInstance(made, index);
  }

  async function startJob(spec: JobSpec): Promise<ObservedJob> {
    answer();
    const found = world.of(spec.environment).find((container) => hasKey(container, spec.key));
    if (found !== undefined && found.state !== 'created') return observeJob(found, spec.key);
    const owner = { kind: 'job', key: spec.key } as const;
    const made =
      found ?? (await createSimulatedContainer(world, { owner, spec, deployment: spec.key.deployment, behaviours, behaviourOf }));
    await startSimulatedContainer(world, made);
    return observeJob(made, spec.key);
  }
}

function effectOf(kind: SimulatedEffect['kind'], container: SimulatedContainer): SimulatedEffect {
  return { kind, environment: container.environment, what: nameOf(container) };
}

function isOf(container: SimulatedContainer, ref: GenerationRef): boolean {
  return container.owner.kind === 'instance' && container.node === (ref.node as NodeName) && container.owner.ref.digest === ref.digest;
}

function hasKey(container: SimulatedContainer, key: JobKey): boolean {
  if (container.owner.kind !== 'job') return false;
  const own = container.owner.key;
  return own.deployment === key.deployment && own.node === key.node && own.hook === key.hook;
}

function probeContainer(container: SimulatedContainer): boolean {
  if (container.state !== 'running' || container.frozen) return false;
  container.probes += 1;
  return container.probes > (container.behaviour.readyAfterProbes ?? 0);
}

function runIn(container: SimulatedContainer, command: ExecSpec): ExecResult {
  if (container.state !== 'running') throw new CoppiceError('engine-failed', `container ${container.id} is not running`);
  if (container.frozen) throw new CoppiceError('engine-failed', `container ${container.id} is frozen`);
  if (container.behaviour.exec !== undefined) return container.behaviour.exec(command);
  return { exitCode: probeContainer(container) ? 0 : 1, stdout: '', stderr: '' };
}

function listedInstance(instance: ListedInstance): ListedInstance {
  return { ...placeOf(instance), index: instance.index };
}

function placeOf({ id, state, address }: ListedJob | ListedInstance): Pick<ListedInstance, 'id' | 'state' | 'address'> {
  return { id, state, address };
}

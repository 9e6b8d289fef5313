import type { Engine, ExecSpec, GenerationRef, GenerationSpec, StopSpec } from '@coppice/engine';
import {
  CoppiceError,
  type Digest,
  isCoppiceError,
  type JobKey,
  type NodeName,
  type NodeSpec,
  nodeDigest,
  type ObservedInstance,
} from '@coppice/model';
import { keptMounts, type Step, type StepKind, wantedInstances } from '@coppice/plan';
import type { Router } from '@coppice/router';
import type { Volumes } from '@coppice/volumes';
import { awaitDrained } from './await-drained.ts';
import { awaitReady, ended } from './await-ready.ts';
import type { EnvironmentWork } from './environment-work.ts';
import { lastOutput } from './last-output.ts';
import { NetworkKeeper } from './network-keeper.ts';
import { runHook, runSanitize } from './run-hook.ts';
import { mountsOf, runSpec } from './run-spec.ts';
import { stepLimitMs } from './step-limit.ts';
import { stillWhile } from './still-while.ts';
import { TrailingWork } from './trailing-work.ts';

export interface PerformerParts {
  readonly engine: Engine;
  readonly volumes: Volumes;
  readonly router: Router;
  readonly work: EnvironmentWork;
  /** Where each stable address leads when the plan begins. */
  readonly serving: ReadonlyMap<NodeName, Digest>;
  /** Ids of desired instances that ran when the plan was made and were not seen ready: nothing leads to them until they are. */
  readonly unconfirmed?: readonly string[];
  readonly nowMs: () => number;
  /** How long what goes on beside the steps may take; default `stepLimitMs`. */
  readonly limitMs?: (kind: StepKind) => number;
}

type Performers = { readonly [Kind in StepKind]: (step: Extract<Step, { kind: Kind }>, signal: AbortSignal) => Promise<void> };

/** Requests have so long to end on what is to go; what is a stream then is not waited for where it may stay. */
const briefDrainMs = 1_000;
const drainMs = 10_000;
/** The same where others wait for it. */
const holdDrainMs = 3_000;
const provisionTimeoutMs = 60_000;

/** Does steps. What no other step waits for may still go on when a step is done. */
export interface Performer {
  (step: Step, signal: AbortSignal): Promise<void>;
  /** To be called when no more steps come: resolves when nothing goes on any more, with the first failure, or undefined. */
  settle(): Promise<unknown>;
}

/** What each kind of step does to the world, over the ports. Every step is idempotent. */
export function createPerformer(parts: PerformerParts): Performer {
  const network = new NetworkKeeper({ ...parts, isSurplus: (node, digest, { index }) => isSurplus(parts.work, { node, digest }, index) });
  network.withhold(parts.unconfirmed ?? []);
  const trailing = new TrailingWork((parts.limitMs ?? stepLimitMs)('resize'));
  const performers: Performers = { ...upSteps(parts, network, trailing), ...downSteps(parts, network) };
  const perform = async (step: Step, signal: AbortSignal): Promise<void> =>
    await (performers[step.kind] as (step: Step, signal: AbortSignal) => Promise<void>)(step, signal);
  return Object.assign(perform, { settle: async () => await trailing.settle() });
}

type DownKind = 'drain' | 'stop' | 'remove-instances' | 'remove-routes' | 'remove-network' | 'remove-volumes';

function upSteps(parts: PerformerParts, network: NetworkKeeper, trailing: TrailingWork): Omit<Performers, DownKind> {
  const { engine, volumes, work, nowMs } = parts;
  const started = new Map<string, readonly ObservedInstance[]>();
  /** No request is open on what is held: those that wait already have none. */
  let isDrained = true;
  const ref = (node: NodeName, digest: Digest): GenerationRef => ({ environment: work.environment, node, digest });
  return {
    'create-network': async () => {
      await engine.ensureNetwork(work.environment);
      await network.prepare();
    },
    'create-volumes': async ({ node }) => void (await mountsOf(volumes, work, work.node(node))),
    'pull-image': async ({ node }) => void (await Promise.all([engine.ensureImage(work.node(node).image), network.prepareIfThere()])),
    'run-job': async (step, signal) => {
      const around = { engine, volumes, work, network, signal };
      if (step.hook === 'sanitize') await runSanitize(around, step.generation);
      else await runHook(around, step);
    },
    'switch-data': async ({ generation, from, keep, aside }) => {
      await removeHolders(engine, work);
      await volumes.replace({ environment: work.environment, generation, from, keep, aside });
      work.switched();
      await network.applyIfThere();
    },
    'copy-data': async () => {
      const { heldCopy, environment } = work;
      // What is open may still write.
      if (!heldCopy || !isDrained) return;
      await volumes.sync(environment);
      await stillWhile(engine, environment, async () => await volumes.snapshot({ environment, id: heldCopy.id }));
      heldCopy.copied();
    },
    'move-volumes': async ({ moves }) => {
      await removeHolders(engine, work);
      for (const { from, to } of moves) await volumes.moveNode({ environment: work.environment, from, to });
    },
    start: async ({ node, digest }) => {
      const spec = work.node(node);
      const [run, before] = await Promise.all([runSpec(volumes, work, spec), instancesOf(engine, ref(node, digest)), network.prepare()]);
      const running = new Set(before.filter(({ state }) => state === 'running').map(({ id }) => id));
      const generation: GenerationSpec = {
        ...run,
        ...ref(node, digest),
        project: work.project,
        deployment: work.deployment,
        instances: wantedInstances(spec),
      };
      // Before the answer, which may be long in coming or never come.
      network.expect(node, digest, running);
      const { instances } = await engine.startGeneration(generation);
      started.set(`${node} ${digest}`, instances);
    },
    provision: async ({ node, digest }) => {
      await provision(parts, work.node(node), ref(node, digest));
      work.recordJob({ node, hook: 'provision', state: 'succeeded', exitCode: 0 });
    },
    'await-ready': async ({ node, digest }, signal) => {
      const spec = work.node(node);
      const known = started.get(`${node} ${digest}`);
      const instances = await awaitReady({ engine, ref: ref(node, digest), node: spec, started: known, signal, nowMs });
      await afterStart(engine, spec, instances, work);
      work.noteReady(instances);
      network.admit(instances.map(({ id }) => id));
      // The CPU quota keeps nobody waiting: where it is cut off, the next plan sees that it is missing.
      trailing.begin(engine.resizeGeneration(ref(node, digest), spec.resources));
    },
    'switch-address': async ({ node, digest, firewall }) => {
      const served = network.serve(node, digest);
      // Nobody waits for an address that nobody may call.
      if (firewall || network.isCalled(node)) await served;
      else trailing.begin(served);
      if (firewall) work.recordJob({ node, hook: 'firewall', state: 'succeeded', exitCode: 0 });
    },
    'hold-routes': async ({ nodes }, signal) => {
      await network.hold(nodes);
      const { generations } = await engine.members(work.environment);
      const held = generations.filter(({ node }) => nodes.includes(node)).flatMap(({ instances }) => instances);
      isDrained = await awaitDrained(parts, held, { withinMs: holdDrainMs, signal });
    },
    // The policy is not observed: a plan that was cut off before it was swapped is made good here.
    'switch-routes': async () => {
      work.heldCopy?.outdated();
      await network.release();
      await network.apply();
    },
    resize: async ({ node, digest }) => await engine.resizeGeneration(ref(node, digest), work.node(node).resources),
  };
}

function downSteps(parts: PerformerParts, network: NetworkKeeper): Pick<Performers, DownKind> {
  const { engine, volumes, router, work } = parts;
  const ref = (node: NodeName, digest: Digest): GenerationRef => ({ environment: work.environment, node, digest });
  const lingering = new Set<string>();
  return {
    drain: async ({ node, digest }, signal) => {
      const instances = await instancesOf(engine, ref(node, digest));
      const spec = knownNode(work, node);
      const stays = spec !== undefined && nodeDigest(spec) === digest;
      const leaving = stays ? instances.filter(({ index }) => isSurplus(work, { node, digest }, index)) : instances;
      if (await awaitDrained(parts, leaving, { withinMs: briefDrainMs, signal })) return;
      const answer = stays ? 'wait' : work.linger({ node, digest });
      if (answer === 'wait') await awaitDrained(parts, leaving, { withinMs: drainMs - briefDrainMs, signal });
      if (answer !== 'stay') return;
      lingering.add(`${node} ${digest}`);
      work.say(`streams are open on the old ${node}: it stays for them until they end, a minute at most`);
    },
    stop: async ({ node, digest }) => {
      if (lingering.has(`${node} ${digest}`)) return;
      const instances = await instancesOf(engine, ref(node, digest));
      await network.retract(
        node,
        digest,
        instances.map(({ id }) => id),
      );
      // What an attempt left: its swap of the routes may have been done although it was told that it failed.
      if (!knownNode(work, node)) await network.switchRoutes('where there are some');
      await engine.stopGeneration(ref(node, digest), stopOf(work, node));
      await network.apply();
    },
    'remove-instances': async ({ node, digest, instances }) => {
      await network.retract(node, digest, instances);
      await engine.removeInstances(work.environment, instances, stopOf(work, node));
      await network.apply();
    },
    'remove-routes': async () => await router.remove(work.environment),
    'remove-network': async () => {
      await removeJobs(engine, work);
      await engine.removeNetwork(work.environment);
    },
    'remove-volumes': async ({ keepAs }) => {
      await removeJobs(engine, work);
      if (keepAs === undefined) await volumes.removeSet(work.environment);
      else await volumes.setAside({ environment: work.environment, id: keepAs });
    },
  };
}

/** An instance of the desired generation beyond those wanted: the plan removes it. */
function isSurplus(work: EnvironmentWork, { node, digest }: { readonly node: NodeName; readonly digest: Digest }, index: number): boolean {
  const spec = knownNode(work, node);
  return spec !== undefined && index >= wantedInstances(spec) && nodeDigest(spec) === digest;
}

/** The node's spec; undefined for what an attempt left that never served. */
function knownNode(work: EnvironmentWork, node: NodeName): NodeSpec | undefined {
  try {
    return work.node(node);
  } catch (error) {
    if (!isCoppiceError(error)) throw error;
    return undefined;
  }
}

function stopOf(work: EnvironmentWork, node: NodeName): StopSpec {
  return knownNode(work, node)?.stop ?? { signal: 'SIGTERM', graceMs: 10_000 };
}

/** Jobs that may have volumes open: one of this attempt that is cut off by it counts as cut off, since what it did is gone in part. */
async function removeHolders(engine: Engine, work: EnvironmentWork): Promise<void> {
  await removeJobs(engine, work, ({ deployment, node, hook }) => {
    const isHook = hook === 'deploy' || hook === 'post_deploy';
    const spec = isHook && deployment === work.deployment ? knownNode(work, node) : undefined;
    return spec === undefined || keptMounts(spec).length > 0;
  });
}

/** Jobs of an environment that goes hold its network and volumes. */
async function removeJobs(engine: Engine, { environment }: EnvironmentWork, isMeant: (job: JobKey) => boolean = () => true): Promise<void> {
  const { jobs } = await engine.members(environment);
  for (const { deployment, node, hook } of jobs.filter(isMeant)) await engine.removeJob(environment, { deployment, node, hook });
}

async function instancesOf(engine: Pick<Engine, 'inspectGeneration'>, ref: GenerationRef): Promise<readonly ObservedInstance[]> {
  return (await engine.inspectGeneration(ref))?.instances ?? [];
}

async function provision({ engine, work }: PerformerParts, node: NodeSpec, ref: GenerationRef): Promise<void> {
  if (!node.provision) return;
  const { argv } = node.provision;
  for (const { id } of await instancesOf(engine, ref)) {
    const wrong = await tryProvision(engine, id, { argv, input: work.provisionInput(node), timeoutMs: provisionTimeoutMs });
    if (wrong === undefined) continue;
    const now = (await instancesOf(engine, ref)).find((instance) => instance.id === id);
    if (now?.state === 'exited') throw await ended({ engine, node }, now);
    throw new CoppiceError('not-ready', `provisioning ${node.name} failed: ${wrong}${await lastOutput(engine, id)}`);
  }
}

async function tryProvision(engine: Engine, id: string, command: ExecSpec): Promise<string | undefined> {
  try {
    const { exitCode, stdout, stderr } = await engine.exec(id, command);
    return exitCode === 0 ? undefined : `exit code ${exitCode}: ${(stderr.trim() || stdout.trim()).slice(-2000)}`;
  } catch (error) {
    if (!isCoppiceError(error, 'engine-failed')) throw error;
    return error.message;
  }
}

async function afterStart(
  engine: Engine,
  node: NodeSpec,
  instances: readonly { readonly id: string }[],
  work: EnvironmentWork,
): Promise<void> {
  const command = node.hooks.postStart;
  if (command === undefined) return;
  for (const { id } of instances) {
    const result = await engine.exec(id, { argv: ['/bin/sh', '-ec', command], timeoutMs: provisionTimeoutMs });
    if (result.exitCode !== 0)
      work.say(`post_start of ${node.name} ended with exit code ${result.exitCode}: ${result.stderr.trim().slice(-500)}`);
  }
}

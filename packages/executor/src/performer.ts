import { setTimeout as pause } from 'node:timers/promises';
import type { Engine, GenerationRef, GenerationSpec, HostMount, RunSpec } from '@coppice/engine';
import { CoppiceError, type Digest, type MountSpec, type NodeName, type NodeSpec } from '@coppice/model';
import type { Step, StepKind } from '@coppice/plan';
import type { Router } from '@coppice/router';
import type { Volumes } from '@coppice/volumes';
import { awaitReady } from './await-ready.ts';
import type { EnvironmentWork } from './environment-work.ts';
import { NetworkKeeper } from './network-keeper.ts';
import { runJob } from './run-job.ts';

export interface PerformerParts {
  readonly engine: Engine;
  readonly volumes: Volumes;
  readonly router: Router;
  readonly work: EnvironmentWork;
  /** Where each stable address leads when the plan begins. */
  readonly serving: ReadonlyMap<NodeName, Digest>;
  readonly nowMs: () => number;
}

type Performers = { readonly [Kind in StepKind]: (step: Extract<Step, { kind: Kind }>, signal: AbortSignal) => Promise<void> };

const drainDeadlineMs = 10_000;
const drainEveryMs = 25;
const provisionTimeoutMs = 60_000;

/** What each kind of step does to the world, over the ports. Every step is idempotent. */
export function createPerformer(parts: PerformerParts): (step: Step, signal: AbortSignal) => Promise<void> {
  const { engine, volumes, router, work, nowMs } = parts;
  const network = new NetworkKeeper(engine, work, parts.serving);
  const ref = (node: NodeName, digest: Digest): GenerationRef => ({ environment: work.environment, node, digest });

  const performers: Performers = {
    'create-network': async () => {
      await engine.ensureNetwork(work.environment);
      await network.prepare();
    },
    'create-volumes': async ({ node }) => void (await mountsOf(volumes, work, work.node(node))),
    'pull-image': async ({ node }) => await engine.ensureImage(work.node(node).image),
    'run-job': async ({ node, hook }, signal) => {
      const spec = work.node(node);
      const command = hook === 'deploy' ? spec.hooks.deploy : spec.hooks.postDeploy;
      if (command === undefined) return;
      const key = { deployment: work.deployment, node, hook };
      const [run] = await Promise.all([runSpec(volumes, work, spec), network.prepare()]);
      await runJob({
        engine,
        work,
        signal,
        spec: { ...run, argv: ['/bin/sh', '-ec', command], environment: work.environment, project: work.project, key },
      });
    },
    start: async ({ node, digest }) => {
      const spec = work.node(node);
      const [run] = await Promise.all([runSpec(volumes, work, spec), network.prepare()]);
      const generation: GenerationSpec = {
        ...run,
        ...ref(node, digest),
        project: work.project,
        deployment: work.deployment,
        instances: spec.instances,
      };
      await engine.startGeneration(generation);
    },
    provision: async ({ node, digest }) => await provision(parts, work.node(node), digest),
    'await-ready': async ({ node, digest }, signal) => {
      const spec = work.node(node);
      const instances = await awaitReady({ engine, ref: ref(node, digest), node: spec, signal, nowMs });
      work.noteReady(instances);
      await afterStart(engine, spec, instances, work);
      await engine.resizeGeneration(ref(node, digest), spec.resources);
    },
    'switch-address': async ({ node, digest }) => await network.serve(node, digest),
    'switch-routes': async () => await router.apply(work.environment, work.routes(await network.now())),
    drain: async ({ node, digest }, signal) => await drain(parts, node, digest, signal),
    stop: async ({ node, digest }) => {
      await engine.stopGeneration(ref(node, digest), work.node(node).stop);
      await network.apply();
    },
    'remove-instances': async ({ node, instances }) => {
      await engine.removeInstances(work.environment, instances, work.node(node).stop);
      await network.apply();
    },
    resize: async ({ node, digest }) => await engine.resizeGeneration(ref(node, digest), work.node(node).resources),
    'remove-routes': async () => await router.remove(work.environment),
    'remove-network': async () => await engine.removeNetwork(work.environment),
    'remove-volumes': async () => await volumes.removeSet(work.environment),
  };
  return async (step, signal) => await (performers[step.kind] as (step: Step, signal: AbortSignal) => Promise<void>)(step, signal);
}

/** The CPU quota comes when the instance is ready, so that it does not slow the start. */
async function runSpec(volumes: Volumes, work: EnvironmentWork, node: NodeSpec): Promise<RunSpec> {
  return {
    image: node.image,
    argv: node.argv,
    user: node.user,
    workingDirectory: node.workingDirectory,
    variables: work.variables(node),
    capabilities: node.capabilities,
    mounts: await mountsOf(volumes, work, node),
    tmpfs: [...node.tmpfs, ...node.mounts.filter((mount) => mount.source === 'tmp').map((mount) => mount.target)],
    hosts: work.hosts(node),
    resources: { cpu: 0, memoryBytes: node.resources.memoryBytes },
    stop: node.stop,
  };
}

async function mountsOf(volumes: Volumes, work: EnvironmentWork, node: NodeSpec): Promise<readonly HostMount[]> {
  const kept = node.mounts.filter((mount: MountSpec) => mount.source !== 'tmp');
  return await Promise.all(
    kept.map(async (mount) => {
      const hostPath = await volumes.ensure(
        { environment: work.environment, node: mount.node ?? node.name, volume: mount.volume },
        node.user,
      );
      return { target: mount.target, hostPath, readOnly: false };
    }),
  );
}

async function provision({ engine, work }: PerformerParts, node: NodeSpec, digest: Digest): Promise<void> {
  if (!node.provision) return;
  const { argv } = node.provision;
  const listing = await engine.inspect(work.environment);
  const generation = listing.generations.find((candidate) => candidate.node === node.name && candidate.digest === digest);
  for (const instance of generation?.instances ?? []) {
    const result = await engine.exec(instance.id, { argv, input: work.provisionInput(node), timeoutMs: provisionTimeoutMs });
    if (result.exitCode !== 0) {
      throw new CoppiceError(
        'not-ready',
        `provisioning ${node.name} ended with exit code ${result.exitCode}: ${result.stderr.trim().slice(-2000)}`,
      );
    }
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

/** Waits until nothing is open on the generation any more, but not for ever: what is still open is closed by the stop. */
async function drain({ engine, router, work, nowMs }: PerformerParts, node: NodeName, digest: Digest, signal: AbortSignal): Promise<void> {
  const listing = await engine.inspect(work.environment);
  const instances = listing.generations.find((generation) => generation.node === node && generation.digest === digest)?.instances ?? [];
  const deadlineMs = nowMs() + drainDeadlineMs;
  while (nowMs() < deadlineMs && !signal.aborted) {
    const open = await Promise.all(instances.map((instance) => router.openRequests(instance.id)));
    if (open.every((count) => count === 0)) return;
    await pause(drainEveryMs);
  }
}

import type { Digest, NodeName, NodeSpec, ObservedInstance } from '@coppice/model';
import { CoppiceError, isCoppiceError, nodeDigest } from '@coppice/model';
import { wantedInstances } from '@coppice/plan';
import type { Perform } from './execute-plan.ts';
import type { PerformerParts } from './performer-parts.ts';
import { endOf, lastLines, outputLines } from './prober.ts';
import { keptMounts, runSpec } from './run-spec.ts';

/** The least CPU of an instance that starts, in cores: a small quota would throttle it; it is applied when the instance is ready. */
const startCpu = 1;

/** The steps that bring a generation up. */
export function startSteps(
  parts: PerformerParts,
): Pick<Perform, 'create-network' | 'create-volumes' | 'pull-image' | 'start' | 'provision' | 'await-ready' | 'resize'> {
  const { engine, volumes, context, world } = parts;
  const { environment } = context;
  return {
    'create-network': async () => {
      await world.network();
    },
    'create-volumes': async ({ node }) => {
      const spec = context.spec(node);
      const names = new Set(keptMounts(spec.mounts).map((mount) => mount.volume));
      for (const volume of names) await volumes.ensure({ environment, node, volume }, spec.user);
    },
    'pull-image': async ({ node }) => await engine.ensureImage(context.spec(node).image),
    start: async ({ node, digest }) => {
      const spec = specAt(parts, node, digest);
      const network = await world.network();
      const run = runSpec({ context, volumes, network, spec, mounts: spec.mounts });
      await engine.startGeneration({
        ...run,
        environment,
        node,
        digest,
        project: context.project,
        deployment: context.deployment,
        instances: wantedInstances(spec),
        resources: { ...run.resources, cpu: cpuAtStart(parts, spec) },
      });
      await world.applyPolicy();
    },
    provision: async ({ node, digest }, signal) => await provision(parts, { node, digest, signal }),
    'await-ready': async ({ node, digest }, signal) => await awaitReady(parts, { node, digest, signal }),
    resize: async ({ node, digest }) => await engine.resizeGeneration({ environment, node, digest }, context.spec(node).resources),
  };
}

interface Target {
  readonly node: NodeName;
  readonly digest: Digest;
  readonly signal: AbortSignal;
}

/** Runs the provisioning in every instance; an instance that ended meanwhile is the better explanation of a failure. */
async function provision(parts: PerformerParts, { node, digest, signal }: Target): Promise<void> {
  const { engine, context } = parts;
  const spec = specAt(parts, node, digest);
  const { provision: task } = spec;
  if (!task) return;
  const input = context.provisionInput(node);
  for (const { id } of await running(parts, { node, digest })) {
    signal.throwIfAborted();
    const failure = await tryProvision(parts, { id, spec, argv: task.argv, input });
    if (failure === undefined) continue;
    const now = (await instancesOf(parts, { node, digest })).find((instance) => instance.id === id);
    const why = now?.state === 'running' ? failure : endOf(now);
    const lines = outputLines(await lastLines(engine, id));
    throw new CoppiceError('not-ready', [`${node} could not be provisioned: ${why}`, ...lines].join('\n'));
  }
}

async function tryProvision(
  { engine }: PerformerParts,
  task: { readonly id: string; readonly spec: NodeSpec; readonly argv: readonly string[]; readonly input: string },
): Promise<string | undefined> {
  const timeoutMs = task.spec.readiness.withinMs;
  try {
    const { exitCode, stdout, stderr } = await engine.exec(task.id, { argv: task.argv, input: task.input, timeoutMs });
    const said = [stdout, stderr].map((text) => text.trim()).filter((text) => text !== '');
    return exitCode === 0 ? undefined : [`its script ended with exit code ${exitCode}`, ...said].join('\n  ');
  } catch (error) {
    if (!isCoppiceError(error, 'engine-failed')) throw error;
    return error.message;
  }
}

async function awaitReady(parts: PerformerParts, { node, digest, signal }: Target): Promise<void> {
  const { engine, context, serving, prober } = parts;
  const spec = specAt(parts, node, digest);
  const instances = await instancesOf(parts, { node, digest });
  if (instances.length === 0 && wantedInstances(spec) > 0)
    throw new CoppiceError('not-ready', `${node} did not become ready: no instance is there`);
  await Promise.all(
    instances.map(async (instance) => {
      const look = async (): Promise<ObservedInstance | undefined> =>
        (await instancesOf(parts, { node, digest })).find((candidate) => candidate.id === instance.id);
      await prober.awaitReady({ instance, spec, look, signal });
      await runPostStart(parts, { instance, spec });
      serving.confirm(instance.id);
      context.noteReady(instance);
    }),
  );
  const { environment } = context;
  if (cpuAtStart(parts, spec) !== spec.resources.cpu) await engine.resizeGeneration({ environment, node, digest }, spec.resources);
}

async function runPostStart(
  { engine }: PerformerParts,
  { instance, spec }: { readonly instance: ObservedInstance; readonly spec: NodeSpec },
): Promise<void> {
  const command = spec.hooks.postStart;
  if (command === undefined) return;
  const { exitCode, stdout, stderr } = await engine.exec(instance.id, {
    argv: ['/bin/sh', '-c', command],
    timeoutMs: spec.readiness.withinMs,
  });
  if (exitCode === 0) return;
  const lines = outputLines(
    `${stdout}${stderr}`
      .split('\n')
      .filter((line) => line !== '')
      .slice(-20),
  );
  throw new CoppiceError('not-ready', [`post_start of ${spec.name} ended with exit code ${exitCode}`, ...lines].join('\n'));
}

function cpuAtStart({ engine }: PerformerParts, spec: NodeSpec): number {
  return engine.capabilities.resizeInPlace ? Math.max(spec.resources.cpu, startCpu) : spec.resources.cpu;
}

/** The node's spec, which must be the one the plan was made for. */
function specAt({ context }: PerformerParts, node: NodeName, digest: Digest): NodeSpec {
  const spec = context.spec(node);
  if (nodeDigest(spec) !== digest) throw new CoppiceError('internal', `the plan was made for another release of ${node}`);
  return spec;
}

async function instancesOf({ world }: PerformerParts, { node, digest }: Omit<Target, 'signal'>): Promise<readonly ObservedInstance[]> {
  const { generations } = await world.look();
  return generations.flatMap((generation) => (generation.node === node && generation.digest === digest ? generation.instances : []));
}

async function running(parts: PerformerParts, target: Omit<Target, 'signal'>): Promise<readonly ObservedInstance[]> {
  return (await instancesOf(parts, target)).filter((instance) => instance.state === 'running');
}

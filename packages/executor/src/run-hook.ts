import type { Engine } from '@coppice/engine';
import { CoppiceError, isCoppiceError, type NodeName, type NodeSpec } from '@coppice/model';
import { keptMounts, sanitizeHook } from '@coppice/plan';
import type { Volumes } from '@coppice/volumes';
import type { EnvironmentWork } from './environment-work.ts';
import type { NetworkKeeper } from './network-keeper.ts';
import { runJob } from './run-job.ts';
import { runSpec } from './run-spec.ts';

export interface HookParts {
  readonly engine: Engine;
  readonly volumes: Volumes;
  readonly work: EnvironmentWork;
  readonly network: NetworkKeeper;
  readonly signal: AbortSignal;
}

/** A deploy hook that fails fails the deployment; after the routes were switched it is only told. */
export async function runHook(
  parts: HookParts,
  { node, hook }: { readonly node: NodeName; readonly hook: 'deploy' | 'post_deploy' },
): Promise<void> {
  const { engine, volumes, work, network, signal } = parts;
  const spec = work.node(node);
  const command = hook === 'deploy' ? spec.hooks.deploy : spec.hooks.postDeploy;
  if (command === undefined) return;
  // An exclusive volume is the live instance's alone.
  const isLive = await isRunning(parts, node);
  const mounts = spec.mounts.filter((mount) => !mount.exclusive || !isLive);
  const [run] = await Promise.all([runSpec(volumes, work, { ...spec, mounts }), network.prepare()]);
  const key = { deployment: work.deployment, node, hook };
  const job = { ...run, argv: shell(command), environment: work.environment, project: work.project, key };
  try {
    const words = { label: `${node} ${hook}`, what: `the ${hook} hook of ${node}`, anew: 'push again, or redeploy, to run it anew' };
    await runJob({ engine, work, signal, spec: job, ...words });
  } catch (error) {
    if (hook === 'deploy' || !isCoppiceError(error) || !['job-failed', 'interrupted'].includes(error.code)) throw error;
    work.recordJob({ node, hook, state: 'failed', exitCode: undefined });
    for (const line of [...error.message.split('\n'), 'the release serves all the same']) work.say(line);
  }
}

/**
 * Sanitises foreign data with the image of the release that demands it; then the data is open. Where it fails or is cut off, the data stays
 * closed until a fresh copy takes its place: nobody knows what half a run left.
 */
export async function runSanitize(parts: HookParts, generation: number): Promise<void> {
  const { engine, volumes, work, network, signal } = parts;
  const sanitize = work.sanitize();
  if (sanitize === undefined) return;
  const spec = work.sanitizeNode();
  await refuseSharing(parts, spec);
  await removeUnmounted(parts, sanitize.mounted);
  await Promise.all([engine.ensureImage(spec.image), network.prepare()]);
  const run = await runSpec(volumes, work, spec);
  const key = { deployment: work.deployment, node: spec.name, hook: sanitizeHook(generation) };
  await runJob({
    engine,
    work,
    signal,
    spec: { ...run, argv: shell(sanitize.run), environment: work.environment, project: work.project, key },
    timeoutMs: sanitize.timeoutMs,
    label: `${spec.name} sanitize`,
    what: `the sanitize job of ${spec.name}`,
    anew: 'this copy stays closed; push again, or coppice env sync --force, to have it run on a fresh one',
  });
  work.sanitized();
  await network.apply();
}

/** What came with the copy and no node of this release mounts would be there as it was for one that comes later. */
async function removeUnmounted({ volumes, work }: HookParts, mounted: ReadonlySet<string>): Promise<void> {
  const { environment } = work;
  work.forgetAside();
  const folders = new Set((await volumes.inspect(environment)).map(({ node }) => node));
  for (const folder of folders) if (!mounted.has(folder)) await volumes.removeNode({ environment, node: folder });
}

/** Without all of the node's data it would pass over some of it. */
async function refuseSharing(parts: HookParts, spec: NodeSpec): Promise<void> {
  const exclusive = keptMounts(spec).find((mount) => mount.exclusive);
  if (!exclusive || !(await isRunning(parts, exclusive.node ?? spec.name))) return;
  throw new CoppiceError(
    'job-failed',
    `${spec.name} cannot be sanitised: what sanitises it needs something that needs ${spec.name} itself`,
    {
      hint: `let no node that ${spec.name} has a relationship to have one back to it`,
    },
  );
}

async function isRunning({ engine, work }: Pick<HookParts, 'engine' | 'work'>, node: NodeName): Promise<boolean> {
  const { generations } = await engine.members(work.environment);
  return generations.some((generation) => generation.node === node && generation.instances.some(({ state }) => state === 'running'));
}

function shell(command: string): readonly string[] {
  return ['/bin/sh', '-ec', command];
}

import { nodeDigest } from '@coppice/model';
import { wantedInstances } from '@coppice/plan';
import type { EnvironmentRecord } from '@coppice/state';
import { refOfBranch } from '../push/push-refs.ts';
import type { SimulatedServer } from './simulated-server.ts';

/**
 * What does not hold yet of a world whose loop should have come to rest; undefined where all is as desired. `unawaited`: commits at which a
 * ref may be although they never served.
 */
export async function unsettled(server: SimulatedServer, unawaited: ReadonlySet<string>): Promise<string | undefined> {
  const { ports, repository, engine } = server;
  const { store } = ports;
  const environments = store.environments.list();
  const [running] = store.activities.list({ state: 'running' });
  if (running) return `the activity ${running.kind} ${running.id} still runs`;
  const deployment = store.deployments.listProject('shop').find(({ finishedAt }) => finishedAt === undefined);
  const intents = store.intents
    .list()
    .map((intent) => `${intent.phase} ${intent.ref} → ${intent.next.slice(0, 7)} by ${intent.deployment}`);
  if (deployment) return `the deployment ${deployment.id} of ${deployment.environment} is ${deployment.status}; intents: [${intents}]`;
  if (intents.length > 0) return `intents are left: ${intents}`;
  const branches = environments.map(({ branch }) => refOfBranch(branch));
  const orphan = [...repository.refs].find(([ref, tip]) => !branches.includes(ref) && !unawaited.has(tip))?.[0];
  if (orphan) return `${orphan} has no environment`;
  const known = new Set<string>(environments.map(({ id }) => id));
  const left = [...(await engine.list()).keys(), ...(await ports.volumes.list()).keys(), ...server.router.tables().keys()];
  const stray = left.find((id) => !known.has(id));
  if (stray) return `something of ${stray} outlived its environment`;
  for (const environment of environments) {
    const wrong = await wrongWith(server, environment, unawaited);
    if (wrong) return `${environment.branch} (${environment.id}): ${wrong}`;
  }
  return undefined;
}

async function wrongWith(
  server: SimulatedServer,
  environment: EnvironmentRecord,
  unawaited: ReadonlySet<string>,
): Promise<string | undefined> {
  const { ports, repository, engine } = server;
  const { desired, live: liveId, branch, id, name } = environment;
  const live = liveId && ports.store.deployments.get(liveId);
  const tip = repository.refs.get(refOfBranch(branch));
  if (!desired.exists) return 'it is still being deleted';
  if (!live || (live.commit !== tip && !unawaited.has(tip ?? '')))
    return `the ref is at ${tip?.slice(0, 7)}, but ${live ? live.commit.slice(0, 7) : 'nothing'} is live`;
  if (desired.attempt !== live.id) return `${desired.attempt} is desired and ${live.id} is live`;
  const { generations, jobs, network } = await engine.inspect(id);
  if (jobs.length > 0) return 'a job is left';
  const instances = generations.flatMap((generation) =>
    generation.instances.map(
      ({ index, state, ...size }) => `${generation.node}.${index} ${generation.digest.slice(7, 12)} ${sizeText(size)} ${state}`,
    ),
  );
  const isUp = desired.run === 'up';
  const wanted = (isUp ? (desired.spec?.nodes ?? []) : []).flatMap((node) =>
    Array.from(
      { length: wantedInstances(node) },
      (_, index) => `${node.name}.${index} ${nodeDigest(node).slice(7, 12)} ${sizeText(node.resources)} running`,
    ),
  );
  const list = (items: readonly string[]): string => [...items].sort().join(', ');
  if (list(instances) !== list(wanted)) return `[${list(instances)}] run where [${list(wanted)}] should`;
  if (isUp && !network) return 'it has no network';
  return wrongRoutes(server, environment, `${name}.shop.localhost`);
}

function wrongRoutes({ router, engine }: SimulatedServer, { desired, id }: EnvironmentRecord, host: string): string | undefined {
  const own = engine.containers().filter((sight) => sight.environment === id);
  for (const route of desired.spec?.routes ?? []) {
    if (route.kind !== 'upstream') continue;
    const path = /^[^/]*\/\/[^/]*(\/.*)$/.exec(route.url)?.[1] ?? '/';
    const target = router
      .tables()
      .get(id)
      ?.entries.find((entry) => entry.host === host && entry.path === path)?.target;
    if (desired.run === 'suspended') {
      if (target?.kind !== 'hold') return `${path} leads to ${target?.kind} while it sleeps`;
      continue;
    }
    const led = target?.kind === 'upstream' ? target.servers.map((server) => server.id) : [];
    const ready = own
      .filter(({ node, ready: isReady, what }) => node === route.node && isReady && what.kind === 'instance')
      .map((sight) => sight.id);
    if (led.length === 0 || [...led].sort().join() !== [...ready].sort().join())
      return `${path} leads to [${led.map((each) => each.slice(-4))}], ready are [${ready.map((each) => each.slice(-4))}]`;
  }
  return undefined;
}

function sizeText({ cpu, memoryBytes }: { readonly cpu: number; readonly memoryBytes: number }): string {
  return `${cpu} cpu ${memoryBytes / 2 ** 20}M`;
}

import type { EnvironmentRecord, Intent } from '@coppice/state';
import { dataAgain } from '../data/data-again.ts';
import type { Ports } from '../ports.ts';
import { isZero } from '../push/push-refs.ts';
import { lastGood } from './last-good.ts';
import { settleMoves } from './left-intents.ts';
import { repositoryOf } from './repository-of.ts';

/**
 * Settles what a server that died left half done, before the loop starts: an intent whose release was applied is finished by moving the
 * ref; one whose ref moved before its release served is left to the loop, which finishes it once it serves; any other is dropped and
 * desired goes back to what served. A deletion that began goes on. Nothing runs yet when this is called.
 */
export async function recover(ports: Ports): Promise<void> {
  for (const intent of ports.store.intents.list()) {
    const environment = ports.store.environments.get(intent.environment);
    if (environment) await settle(ports, intent, environment);
    else ports.store.intents.delete(intent.id);
  }
  for (const environment of ports.store.environments.list()) dropUnborn(ports, environment);
}

/** The same for one environment in whose lane nobody works: what failed there could not be taken back at once. */
export async function settleLeft(ports: Ports, environment: EnvironmentRecord): Promise<void> {
  const left = ports.store.intents.list().filter((intent) => intent.environment === environment.id && intent.phase !== 'moved');
  for (const intent of left) await settle(ports, intent, environment);
}

/** One that was recorded, and then the server died before it was to hold anything: the loop removes it. */
function dropUnborn({ store }: Ports, { id, desired, live }: EnvironmentRecord): void {
  if (live === undefined && desired.exists && desired.spec === undefined) store.environments.setDesired(id, { ...desired, exists: false });
}

async function settle(ports: Ports, intent: Intent, environment: EnvironmentRecord): Promise<void> {
  if (isZero(intent.next)) return; // the loop finishes deletions, and drops their intents
  if (intent.phase === 'applied' && (await moveRef(ports, intent))) finish(ports, intent);
  else if (intent.phase !== 'applied' && (await tipOf(ports, intent)) === intent.next) ports.store.intents.setPhase(intent.id, 'moved');
  else await drop(ports, intent, environment);
}

async function moveRef(ports: Ports, intent: Intent): Promise<boolean> {
  const current = await tipOf(ports, intent);
  if (current === intent.next) return true;
  if ((current ?? '') !== (isZero(intent.previous) ? '' : intent.previous)) return false;
  await repositoryOf(ports, intent.project).updateRefs([{ ref: intent.ref, previous: intent.previous, next: intent.next }]);
  return true;
}

async function tipOf(ports: Ports, intent: Intent): Promise<string | undefined> {
  return (await repositoryOf(ports, intent.project).refs('refs/heads/')).get(intent.ref);
}

function finish(ports: Ports, intent: Intent): void {
  const { store } = ports;
  ports.log('recovery.finished', { intent: intent.id, ref: intent.ref, next: intent.next });
  store.transaction(() => {
    if (intent.deployment) {
      store.deployments.update(intent.deployment, { status: 'succeeded', finished: true });
      store.environments.setLive(intent.environment, intent.deployment);
      settleMoves(store, intent.environment);
    }
    store.intents.delete(intent.id);
  });
}

async function drop(ports: Ports, intent: Intent, environment: EnvironmentRecord): Promise<void> {
  const { store } = ports;
  const data = await dataAgain(ports, environment.id, { tried: environment.desired, before: undefined });
  ports.log('recovery.dropped', { intent: intent.id, ref: intent.ref, next: intent.next });
  store.transaction(() => {
    if (intent.deployment && store.deployments.get(intent.deployment)?.finishedAt === undefined)
      store.deployments.update(intent.deployment, { status: 'failed', reason: 'the server stopped before it served', finished: true });
    store.environments.setDesired(environment.id, lastGood(store, environment, data));
    store.intents.delete(intent.id);
  });
}

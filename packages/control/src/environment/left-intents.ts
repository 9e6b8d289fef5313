import { type EnvironmentId, isClosed, isCoppiceError } from '@coppice/model';
import type { EnvironmentRecord, Intent, Store } from '@coppice/state';
import { dataAgain, dataBefore } from '../data/data-again.ts';
import type { Ports } from '../ports.ts';
import { failureReason } from '../push/push-lines.ts';
import { redactedFailure } from '../redacted-failure.ts';
import { lastGood } from './last-good.ts';

/** A deployment whose ref moved before it served, and whose server died then: it serves now, or another took its place before it did. */
export function finishMoved(store: Store, { id, desired }: EnvironmentRecord): void {
  for (const { id: intent, deployment } of movedOf(store, id)) {
    const serves = deployment === desired.attempt;
    store.transaction(() => {
      if (serves) store.environments.setLive(id, deployment);
      if (serves) settleMoves(store, id);
      if (store.deployments.get(deployment)?.finishedAt === undefined)
        store.deployments.update(deployment, { status: serves ? 'succeeded' : 'superseded', finished: true });
      store.intents.delete(intent);
    });
  }
}

/** The same, where its release does not serve: it failed, and what served before is desired again. What is only away is waited for. */
export async function giveUpMoved(
  ports: Pick<Ports, 'store' | 'volumes' | 'clock' | 'settings'>,
  { id, desired }: EnvironmentRecord,
  error: unknown,
): Promise<void> {
  const { store } = ports;
  if (!['not-ready', 'job-failed', 'interrupted'].some((code) => isCoppiceError(error, code as 'not-ready'))) return;
  for (const { id: intent, deployment } of movedOf(store, id)) {
    const environment = store.environments.get(id);
    if (deployment !== desired.attempt || !environment) continue;
    const reason = failureReason(redactedFailure(error, store.secrets.values(id)));
    const data = await dataAgain(ports, id, { tried: environment.desired, before: undefined });
    store.transaction(() => {
      store.deployments.update(deployment, { status: 'failed', reason, finished: true });
      store.environments.setDesired(id, lastGood(store, environment, data));
      store.intents.delete(intent);
    });
  }
}

/**
 * A change of data whose server died, and whose data then could not be sanitised: what was there before comes back, as it does while the server
 * lives. Where nothing was, the data stays closed.
 */
export async function giveUpData(
  ports: Pick<Ports, 'store' | 'volumes' | 'clock' | 'settings'>,
  id: EnvironmentId,
  error: unknown,
): Promise<void> {
  const { store, volumes } = ports;
  if (!isCoppiceError(error, 'job-failed') && !isCoppiceError(error, 'interrupted')) return;
  const environment = store.environments.get(id);
  if (environment?.live === undefined || environment.desired.attempt !== environment.live || !isClosed(environment.desired)) return;
  const { dataSource: _, volumeMoves: __, ...tried } = environment.desired;
  if ((await volumes.generation(id)) !== tried.dataGeneration) return;
  const data = await dataBefore(ports, id, { tried: environment.desired, before: undefined });
  if (data.dataGeneration !== tried.dataGeneration) store.environments.setDesired(id, { ...tried, ...data });
}

/** Volumes that moved with a deployment that serves stay where they are: done once, whatever takes the old names later. */
export function settleMoves(store: Store, id: EnvironmentId): void {
  const desired = store.environments.get(id)?.desired;
  if (desired?.volumeMoves === undefined) return;
  const { volumeMoves: _, ...settled } = desired;
  store.environments.setDesired(id, settled);
}

/** What an earlier change left, at which nobody works in this lane any more: a new one takes its place. */
export function supersedeIntents(store: Store, id: EnvironmentId): void {
  for (const { id: intent, environment, deployment } of store.intents.list()) {
    if (environment !== id) continue;
    if (deployment && store.deployments.get(deployment)?.finishedAt === undefined)
      store.deployments.update(deployment, { status: 'superseded', finished: true });
    store.intents.delete(intent);
  }
}

function movedOf(store: Store, id: EnvironmentId): readonly (Intent & { readonly deployment: NonNullable<Intent['deployment']> })[] {
  return store.intents
    .list()
    .flatMap((intent) =>
      intent.environment === id && intent.phase === 'moved' && intent.deployment ? [{ ...intent, deployment: intent.deployment }] : [],
    );
}

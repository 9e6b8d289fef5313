import type { DeploymentId, EnvironmentId } from '@coppice/model';
import type { TakenBackup } from '../data/backup-before.ts';
import { type DesiredData, dataAgain } from '../data/data-again.ts';
import type { DataKeeper } from '../data/data-keeper.ts';
import { environmentById } from '../history/find.ts';
import type { Ports } from '../ports.ts';
import { failureReason } from '../push/push-lines.ts';
import type { DeployRequest } from './deploy-request.ts';
import { lastGood } from './last-good.ts';
import { settleMoves } from './left-intents.ts';
import type { Reconciler } from './reconciler.ts';

export interface TakeBackParts {
  readonly ports: Ports;
  readonly reconciler: Reconciler;
  readonly keeper: Pick<DataKeeper, 'record'>;
  /** Asks the loop for a look after so many milliseconds. */
  readonly lookIn: (id: EnvironmentId, ms: number) => void;
}

/** A deployment that failed. */
export interface FailedAttempt {
  readonly request: DeployRequest;
  readonly deployment: DeploymentId;
  readonly intent: string;
  readonly backup: TakenBackup | undefined;
  readonly error: unknown;
}

/** Desired goes back to what served, or to nothing for an environment that never did; so does the data where nobody was told otherwise. */
export async function takeBack(parts: TakeBackParts, { request, deployment, intent, backup, error }: FailedAttempt): Promise<void> {
  const { ports, reconciler, keeper, lookIn } = parts;
  const { store } = ports;
  const { environment, activity } = request;
  const status = activity.signal.aborted ? 'cancelled' : 'failed';
  const ended = { status, reason: failureReason(error), finished: true } as const;
  activity.say(`${status}: ${ended.reason}`);
  activity.say(environment.live === undefined ? 'removing what was started' : 'the release before goes on serving');
  const source = backup?.held?.isCurrent ? { from: backup.held.id, keep: false, aside: store.backups.newId() } : undefined;
  if (source)
    activity.say(`its data becomes again what it was when requests began to wait; what was made of it since is kept as ${source.aside}`);
  // Requests were served since the backup, and what they wrote would be lost with it: that is for people to decide.
  else if (backup?.id) activity.say(`its data stays as it is now; as it was before this deployment: coppice backup restore ${backup.id}`);
  if (request.refMoves === 'after') {
    store.transaction(() => {
      store.deployments.update(deployment, ended);
      store.intents.setPhase(intent, 'accepted');
    });
  }
  try {
    const { desired: tried } = environmentById(store, environment.id);
    const data: DesiredData = source
      ? { dataGeneration: tried.dataGeneration + 1, dataSource: source }
      : await dataAgain(ports, environment.id, { tried, before: environment.desired });
    store.transaction(() => {
      if (source)
        keeper.record({ id: source.aside, environment, kind: 'replaced', reason: `what the failed ${deployment} made of the data` });
      store.deployments.update(deployment, ended);
      store.environments.setDesired(environment.id, lastGood(store, environment, data));
      if (request.refMoves === 'after') store.intents.delete(intent);
    });
    await reconciler.reconcile(environment.id, {
      // What undoes it is for the log; whoever pushed wants to read why.
      activity: { ...activity, say: activity.note, signal: new AbortController().signal },
      deployment: undefined,
      crashed: 'start',
    });
    if (environment.live === undefined) await reconciler.forget(environment.id);
    else settleMoves(store, environment.id);
    if (request.refMoves === 'before') store.intents.delete(intent);
  } catch (failure) {
    activity.say(`the release before could not be restored at once: ${failureReason(failure)}; the loop goes on trying`);
    activity.log('restore.failed', { error: failure });
    lookIn(environment.id, 0);
  }
}

import { CoppiceError } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { RunningActivity } from '../activity-recorder.ts';
import { dataAgain } from '../data/data-again.ts';
import { pendingMoves } from '../data/volume-moves.ts';
import type { Ports } from '../ports.ts';
import { lastGood } from './last-good.ts';
import { settleMoves, supersedeIntents } from './left-intents.ts';
import type { Reconciler } from './reconciler.ts';

/** Whose turn it is, and who undoes. */
export interface UndoLeft {
  readonly ports: Ports;
  readonly reconciler: Reconciler;
  readonly environment: EnvironmentRecord;
  readonly activity: RunningActivity;
}

/**
 * An attempt that never served, and whose server died, may have given volumes other names than what serves knows: they get their own back before
 * anything else is attempted. Answers the environment as it then is; throws `conflict` where that cannot be done now.
 */
export async function undoLeft({ ports, reconciler, environment, activity }: UndoLeft): Promise<EnvironmentRecord> {
  const { store, volumes } = ports;
  const { id, live, desired, name } = environment;
  if (!desired.exists || live === undefined || desired.volumeMoves === undefined) return environment;
  const data = desired.attempt === live ? desired : await dataAgain(ports, id, { tried: desired, before: undefined });
  store.transaction(() => {
    supersedeIntents(store, id);
    store.environments.setDesired(id, lastGood(store, environment, data));
  });
  const quiet = { ...activity, say: activity.note };
  // Whether all of it serves is not asked: what comes next may be what mends it.
  await reconciler
    .reconcile(id, { activity: quiet, deployment: undefined, crashed: 'start' })
    .catch((error: unknown) => activity.log('undo.failed', { error }));
  const folders = new Set<string>((await volumes.inspect(id)).map(({ node }) => node));
  if (pendingMoves(data.volumeMoves ?? [], folders).length > 0) {
    throw new CoppiceError('conflict', `volumes of ${name} have not got their names back yet`, { hint: 'push again in a moment' });
  }
  settleMoves(store, id);
  return store.environments.get(id) ?? environment;
}

import { CoppiceError, type DataSource, type EnvironmentId, isClosed, type SnapshotId } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { ActivityRecorder, ActivityStart, RunningActivity } from '../activity-recorder.ts';
import type { ChangeQueue } from '../change-queue.ts';
import { settleMoves } from '../environment/left-intents.ts';
import type { Reconciler } from '../environment/reconciler.ts';
import { environmentById, liveOf } from '../history/find.ts';
import type { Ports } from '../ports.ts';
import { laneOf } from '../push/deploy-push.ts';
import { failureLines, failureReason } from '../push/push-lines.ts';
import { redactedFailure } from '../redacted-failure.ts';
import type { Capture } from './capture.ts';
import { sanitizeFor } from './clone-terms.ts';
import type { Cloner } from './cloner.ts';
import { dataBefore } from './data-again.ts';
import type { DataKeeper } from './data-keeper.ts';
import { recordLaidAside } from './laid-aside.ts';
import { type OriginOfData, originOfData } from './origin-of-data.ts';
import { keepsData } from './touches-data.ts';
import { refuseUnfinished } from './unsettled-data.ts';
import { volumeMoves } from './volume-moves.ts';

export interface DataChangerParts {
  readonly ports: Ports;
  readonly activities: ActivityRecorder;
  readonly queue: ChangeQueue;
  readonly reconciler: Reconciler;
  readonly capture: Capture;
  readonly cloner: Cloner;
  readonly keeper: DataKeeper;
  /** Asks the loop for a look after so many milliseconds. */
  readonly lookIn: (id: EnvironmentId, ms: number) => void;
}

interface Asked {
  readonly actor: string;
  readonly cause: string;
}

/** Data that is to replace an environment's own, from wherever. */
interface Replacement {
  readonly source: Omit<DataSource, 'aside'>;
  readonly origin: OriginOfData | undefined;
  /** Why, as the backup of what is replaced says it. */
  readonly reason: string;
}

/** Changes of data that no push asked for: backups, restores, syncs. They only write what is desired; the loop does the rest. */
export class DataChanger {
  readonly #parts: DataChangerParts;

  constructor(parts: DataChangerParts) {
    this.#parts = parts;
  }

  /** Resolves with the id when it is kept. Throws `conflict` where there is no data. */
  async backUp(environment: EnvironmentRecord, asked: Asked & { readonly kind: 'manual' | 'scheduled' }): Promise<string> {
    const { capture, keeper } = this.#parts;
    const { kind, ...rest } = asked;
    return await this.#inTurn(environment, this.#open('backup', environment, rest), async (current, activity) => {
      const id = await capture.take(current, activity);
      if (id === undefined) throw new CoppiceError('conflict', `${current.name} has no data to back up`);
      keeper.record({ id, environment: current, kind, reason: asked.cause });
      activity.say(`kept as ${id}`);
      return id;
    });
  }

  /** Starts bringing a backup into an environment; answers the activity's id at once. Throws `not-found`. */
  restore(environment: EnvironmentRecord, id: SnapshotId, actor: string): string {
    const { store } = this.#parts.ports;
    const backup = store.backups.get(id);
    if (!backup) throw new CoppiceError('not-found', `there is no backup ${id}`, { hint: 'list them: coppice backup list' });
    const cause = `restore of ${id}${backup.environment === environment.id ? '' : `, a backup of ${backup.environmentName}`}`;
    return this.#start('restore', environment, { actor, cause }, async (current, activity) => {
      const origin = originOfData(store, backup.spec);
      const sanitize = backup.environment === current.id ? undefined : this.#sanitize(current, origin);
      const source = { from: id, keep: true, ...(sanitize ? { sanitize } : {}) };
      await this.#replace(current, { source, origin, reason: `before the restore of ${id}` }, activity);
    });
  }

  /** Starts taking the parent's data again; answers the activity's id at once. Throws `conflict` where it may not. */
  sync(environment: EnvironmentRecord, { actor, force }: { readonly actor: string; readonly force: boolean }): string {
    const { ports, keeper } = this.#parts;
    const { store } = ports;
    const parent = environment.parent && store.environments.get(environment.parent);
    if (!parent) throw new CoppiceError('conflict', `${environment.name} has no parent whose data it could take`);
    if (!force) {
      throw new CoppiceError(
        'conflict',
        `${environment.name} may hold data of its own, which would be replaced by that of ${parent.name}`,
        {
          hint: 'with --force it is, and what is there now becomes a backup: coppice env sync --force',
        },
      );
    }
    return this.#start('sync', environment, { actor, cause: `sync with ${parent.name}` }, async (current, activity) => {
      const live = liveOf(store, current);
      if (!live) throw new CoppiceError('conflict', `${current.name} has never served`);
      const target = { environment: current, release: live.release, spec: live.spec, activity };
      const data = await this.#parts.cloner.copyOf(parent, target);
      if (!data) throw new CoppiceError('conflict', `${parent.name} holds no data`);
      const { aside: _, ...source } = data.source;
      const reason = `before the sync with ${parent.name}`;
      await this.#replace(current, { source, origin: data.origin, reason }, activity).finally(() => keeper.named(source.from));
    });
  }

  #sanitize(target: EnvironmentRecord, origin: OriginOfData | undefined): DataSource['sanitize'] {
    const live = liveOf(this.#parts.ports.store, target);
    if (!origin || !live) return undefined;
    return sanitizeFor({ origin, target: { release: live.release, spec: live.spec, branch: target.branch } });
  }

  /** What was there is kept; where the new data does not serve, it comes back. */
  async #replace(environment: EnvironmentRecord, replacement: Replacement, activity: RunningActivity): Promise<void> {
    const { ports, reconciler, keeper, lookIn } = this.#parts;
    const { store } = ports;
    const live = liveOf(store, environment);
    if (!live) throw new CoppiceError('conflict', `${environment.name} has never served, so there is nothing to bring data into`);
    const { source, origin, reason } = replacement;
    if (!live.spec.nodes.some(keepsData)) throw new CoppiceError('conflict', `no node of ${environment.name} keeps data`);
    const aside = store.backups.newId();
    const held: OriginOfData['held'] = origin?.held ?? new Map();
    const moves = volumeMoves({ spec: live.spec, served: origin?.spec, held, trash: [], newId: () => store.trash.newId() });
    store.transaction(() => {
      // What nobody may see is nobody's to bring back.
      if (!isClosed(environment.desired)) keeper.record({ id: aside, environment, kind: 'replaced', reason });
      recordLaidAside(ports, environment, { moves, ownerOf: (folder) => held.get(folder) });
      const { volumeMoves: _, ...desired } = environment.desired;
      store.environments.setDesired(environment.id, {
        ...desired,
        dataGeneration: desired.dataGeneration + 1,
        dataSource: { ...source, aside },
        ...(moves.length > 0 ? { volumeMoves: moves } : {}),
      });
    });
    try {
      await reconciler.reconcile(environment.id, { activity, deployment: undefined, crashed: 'start' });
      settleMoves(store, environment.id);
      activity.say(`${environment.name} has its new data; what it held before is kept as ${aside}`);
    } catch (error) {
      await this.#takeBack(environment, activity, error);
      throw redactedFailure(error, store.secrets.values(environment.id));
    }
    // Where the trash cannot be settled now, the loop sees to it.
    await keeper.settle(environment.id).catch(() => lookIn(environment.id, 0));
  }

  async #takeBack({ id, desired: before, name }: EnvironmentRecord, activity: RunningActivity, error: unknown): Promise<void> {
    const { ports, reconciler, lookIn } = this.#parts;
    const { store } = ports;
    const tried = environmentById(store, id).desired;
    activity.say(`failed: ${failureReason(redactedFailure(error, store.secrets.values(id)))}`);
    activity.say(`${name} gets its data back`);
    try {
      const data = await dataBefore(ports, id, { tried, before });
      const { dataSource: _, volumeMoves: __, ...rest } = before;
      store.environments.setDesired(id, { ...rest, ...data });
      const quiet = { ...activity, say: activity.note, signal: new AbortController().signal };
      await reconciler.reconcile(id, { activity: quiet, deployment: undefined, crashed: 'start' });
    } catch (failure) {
      activity.say(`its data could not be brought back at once: ${failureReason(failure)}; the loop goes on trying`);
      activity.log('restore.failed', { error: failure });
      lookIn(id, 0);
    }
  }

  /** Answers the activity's id at once; what fails is in the activity. */
  #start(
    kind: ActivityStart['kind'],
    environment: EnvironmentRecord,
    asked: Asked,
    work: (current: EnvironmentRecord, activity: RunningActivity) => Promise<void>,
  ): string {
    const activity = this.#open(kind, environment, asked);
    void this.#inTurn(environment, activity, work).catch(() => undefined);
    return activity.id;
  }

  #open(kind: ActivityStart['kind'], { id, project }: EnvironmentRecord, asked: Asked): RunningActivity {
    return this.#parts.activities.start({ kind, project, environment: id, ...asked });
  }

  async #inTurn<Result>(
    environment: EnvironmentRecord,
    activity: RunningActivity,
    work: (current: EnvironmentRecord, activity: RunningActivity) => Promise<Result>,
  ): Promise<Result> {
    const { queue, ports } = this.#parts;
    try {
      const changed = async (): Promise<Result> => {
        const current = environmentById(ports.store, environment.id);
        await refuseUnfinished(ports, current);
        return await work(current, activity);
      };
      const result = await queue.run(laneOf(environment.project, environment.branch), 'other', changed, activity.signal);
      activity.finish('succeeded');
      return result;
    } catch (error) {
      for (const line of failureLines(error)) activity.say(line);
      activity.finish(activity.signal.aborted ? 'cancelled' : 'failed', error);
      throw error;
    }
  }
}

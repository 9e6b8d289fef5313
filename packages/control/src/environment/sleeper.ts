import { CoppiceError, type Desired, type EnvironmentId } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { ActivityRecorder, RunningActivity } from '../activity-recorder.ts';
import type { ChangeQueue } from '../change-queue.ts';
import { environmentById } from '../history/find.ts';
import type { Ports } from '../ports.ts';
import { laneOf } from '../push/deploy-push.ts';
import { failureLines, failureReason } from '../push/push-lines.ts';
import { redactedFailure } from '../redacted-failure.ts';
import type { Reconciler } from './reconciler.ts';
import type { WakeFailures } from './wake-failures.ts';

interface Parts {
  readonly ports: Ports;
  readonly activities: ActivityRecorder;
  readonly queue: ChangeQueue;
  readonly reconciler: Reconciler;
  readonly wakeFailures: WakeFailures;
  /** Asks for a look after so many milliseconds. */
  readonly lookIn: (id: EnvironmentId, ms: number) => void;
}

interface Asked {
  readonly actor: string;
  readonly cause: string;
}

/**
 * Lets environments sleep and wake: sleeping, nothing of them runs and their data stays; the router holds requests until they are awake.
 * Both only write what is desired; the loop does the rest.
 */
export class Sleeper {
  readonly #parts: Parts;
  /** Activities that run, so that many requests are one wake. */
  readonly #waking = new Map<EnvironmentId, string>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Starts letting it sleep; answers the activity's id at once. */
  suspend(environment: EnvironmentRecord, asked: Asked): string {
    const activity = this.#start('suspend', environment, asked);
    void this.#inTurn(environment, activity, async () => {
      const current = environmentById(this.#parts.ports.store, environment.id);
      if (current.live === undefined)
        throw new CoppiceError('conflict', `${environment.name} has never served, so there is nothing to suspend`);
      await this.#desire(current, 'suspended', activity);
      activity.say(`${environment.name} sleeps; its data stays, and the next request wakes it`);
    });
    return activity.id;
  }

  /** Starts waking it; answers the activity's id at once, that of the wake that runs already where one does. */
  wake(environment: EnvironmentRecord, asked: Asked): string {
    const running = this.#waking.get(environment.id);
    if (running !== undefined) return running;
    const activity = this.#start('wake', environment, asked);
    this.#waking.set(environment.id, activity.id);
    void this.#inTurn(environment, activity, async () => {
      const current = environmentById(this.#parts.ports.store, environment.id);
      try {
        await this.#desire(current, 'up', activity);
      } catch (error) {
        await this.#stayAsleep(current, activity, error);
        throw error;
      }
      this.#parts.wakeFailures.forget(environment.id);
      activity.say(`${environment.name} is awake`);
    }).finally(() => this.#waking.delete(environment.id));
    return activity.id;
  }

  /** A request waits for it: wakes it where it sleeps. What fails is in the wake's activity. */
  onRequest(id: EnvironmentId): void {
    const environment = this.#parts.ports.store.environments.get(id);
    const sleeps = environment?.desired.exists === true && environment.desired.run === 'suspended';
    if (sleeps && this.#parts.wakeFailures.reason(id) === undefined) this.wake(environment, { actor: 'coppice', cause: 'a request came' });
  }

  #start(kind: 'suspend' | 'wake', { id, project }: EnvironmentRecord, asked: Asked): RunningActivity {
    return this.#parts.activities.start({ kind, project, environment: id, ...asked });
  }

  async #inTurn(environment: EnvironmentRecord, activity: RunningActivity, work: () => Promise<void>): Promise<void> {
    const lane = laneOf(environment.project, environment.branch);
    try {
      await this.#parts.queue.run(lane, 'other', work, activity.signal);
      activity.finish('succeeded');
    } catch (error) {
      for (const line of failureLines(error)) activity.say(line);
      activity.finish(activity.signal.aborted ? 'cancelled' : 'failed', error);
    }
  }

  async #desire(environment: EnvironmentRecord, run: Desired['run'], activity: RunningActivity): Promise<void> {
    if (!environment.desired.exists) throw new CoppiceError('conflict', `${environment.name} is being deleted`);
    this.#parts.ports.store.environments.setDesired(environment.id, { ...environment.desired, run });
    await this.#parts.reconciler.reconcile(environment.id, { activity, deployment: undefined, crashed: 'start' });
  }

  /** What was started goes again, and requests are told why until the next try. */
  async #stayAsleep(environment: EnvironmentRecord, activity: RunningActivity, error: unknown): Promise<void> {
    const { ports, reconciler, wakeFailures, lookIn } = this.#parts;
    const { store } = ports;
    const current = store.environments.get(environment.id);
    if (!current?.desired.exists) return;
    const told = redactedFailure(error, store.secrets.values(environment.id));
    const restMs = wakeFailures.add(environment.id, `This environment sleeps and could not wake: ${failureReason(told)}`);
    store.environments.setDesired(environment.id, { ...current.desired, run: 'suspended' });
    lookIn(environment.id, restMs + 1);
    try {
      const quiet = { ...activity, say: activity.note, signal: new AbortController().signal };
      await reconciler.reconcile(environment.id, { activity: quiet, deployment: undefined, crashed: 'start' });
    } catch (failure) {
      activity.log('suspend.failed', { error: failure });
      lookIn(environment.id, 0);
    }
  }
}

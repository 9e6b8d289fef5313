import { defaultGraceMs, stepLimitMs, stillWhile, within } from '@coppice/executor';
import { CoppiceError, type EnvironmentId, isClosed, type SnapshotId } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { RunningActivity } from '../activity-recorder.ts';
import type { HealthMonitor } from '../environment/health-monitor.ts';
import { liveOf } from '../history/find.ts';
import type { Ports } from '../ports.ts';
import type { SnapshotClaims } from './snapshot-claims.ts';

export interface CaptureParts {
  readonly ports: Ports;
  readonly claims: SnapshotClaims;
  readonly health: Pick<HealthMonitor, 'unprobed'>;
  /** Asks the loop for a look after so many milliseconds. */
  readonly lookIn: (id: EnvironmentId, ms: number) => void;
}

/** A service that is not done in time recovers from the copy as from a power cut. */
const quiesceMs = 10_000;

/** Takes copies of all the data of an environment as it is at one instant, while it serves. The caller holds the environment's lane. */
export class Capture {
  readonly #parts: CaptureParts;

  constructor(parts: CaptureParts) {
    this.#parts = parts;
  }

  /**
   * Keeps a copy under a new id, which nobody sweeps away until the claim is released; undefined where there is no data. Takes no longer than a
   * step that replaces data may, and ends with the activity. Throws `conflict` for data that is closed.
   */
  async take(environment: EnvironmentRecord, activity: Pick<RunningActivity, 'log' | 'signal'>): Promise<SnapshotId | undefined> {
    const { ports, claims, lookIn } = this.#parts;
    const { volumes, clock } = ports;
    if (isClosed(environment.desired)) throw closedData(environment);
    if ((await volumes.generation(environment.id)) === undefined) return undefined;
    const id = claims.claim(ports.store.backups.newId());
    const startedMs = clock.monotonicMs();
    try {
      const frozenMs = await this.#bounded(environment, activity.signal, async () => {
        await this.#quiesce(environment);
        return await this.#atRest(environment, id);
      });
      const times = { ms: Math.round(clock.monotonicMs() - startedMs), frozenMs: Math.round(frozenMs) };
      activity.log('data.captured', { environment: environment.id, snapshot: id, ...times });
    } catch (error) {
      claims.release(id);
      // What stands still for a copy that failed goes on with the next look.
      lookIn(environment.id, 0);
      throw error;
    }
    return id;
  }

  async #bounded<Result>({ name }: EnvironmentRecord, signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    const { limitMs = stepLimitMs, graceMs = defaultGraceMs } = this.#parts.ports.settings.stepLimits ?? {};
    return await within({ limitMs: limitMs('switch-data'), graceMs, signal, what: `copying the data of ${name}` }, work);
  }

  /** Resolves with how long the environment stood still, in ms. */
  async #atRest(environment: EnvironmentRecord, id: SnapshotId): Promise<number> {
    const { engine, volumes, clock } = this.#parts.ports;
    // Before anybody stands still: what is on disk already costs the snapshot no time.
    await volumes.sync(environment.id);
    const startedMs = clock.monotonicMs();
    const copy = async (): Promise<void> => await volumes.snapshot({ environment: environment.id, id });
    await this.#parts.health.unprobed(environment.id, () => stillWhile(engine, environment.id, copy));
    return clock.monotonicMs() - startedMs;
  }

  async #quiesce(environment: EnvironmentRecord): Promise<void> {
    const { engine, store, log } = this.#parts.ports;
    const nodes = liveOf(store, environment)?.spec.nodes.filter((node) => node.quiesce !== undefined) ?? [];
    if (nodes.length === 0) return;
    const { generations } = await engine.inspect(environment.id);
    const commands = nodes.flatMap(({ name, quiesce: argv = [] }) =>
      generations
        .filter(({ node }) => node === name)
        .flatMap(({ instances }) => instances.filter(({ state }) => state === 'running').map(({ id }) => ({ id, argv, name }))),
    );
    await Promise.all(
      commands.map(async ({ id, argv, name }) => {
        const wrong = await engine.exec(id, { argv, timeoutMs: quiesceMs }).then(
          ({ exitCode, stderr }) => (exitCode === 0 ? undefined : stderr.trim().slice(-500)),
          (error: unknown) => error,
        );
        if (wrong !== undefined) log('quiesce.failed', { environment: environment.id, node: name, error: wrong });
      }),
    );
  }
}

/** Foreign data that was not sanitised is nobody's to look at. */
export function closedData({ name }: Pick<EnvironmentRecord, 'name'>): CoppiceError {
  return new CoppiceError('conflict', `${name} holds data that was not sanitised yet: nothing may reach it, and it is not copied`, {
    hint: 'wait until its sanitise job has succeeded',
  });
}

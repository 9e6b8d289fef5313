import { nextTimeOf } from '@coppice/config';
import { type EnvironmentId, isClosed } from '@coppice/model';
import type { BackupRecord, EnvironmentRecord } from '@coppice/state';
import type { ActivityRecorder } from '../activity-recorder.ts';
import type { LiveDeclarations } from '../environment/live-declarations.ts';
import { pause } from '../pause.ts';
import type { Ports } from '../ports.ts';
import { defaultRetention } from './configured-retention.ts';
import type { DataChanger } from './data-changer.ts';
import type { DataKeeper } from './data-keeper.ts';
import { type Keeping, outdatedBackups } from './outdated-backups.ts';
import { WallClockWatch } from './wall-clock-watch.ts';

export interface RetentionParts {
  readonly ports: Ports;
  readonly keeper: DataKeeper;
  readonly changer: Pick<DataChanger, 'backUp'>;
  readonly declarations: Pick<LiveDeclarations, 'of'>;
  readonly activities: Pick<ActivityRecorder, 'endings'>;
}

const lookMs = 30_000;
/** Looks between two sweeps, the first being at the start. */
const sweepEvery = 20;
/** From the end of an activity to the sweep that follows it. */
const sweepAfterMs = 1_000;
const keptReplaced = 10;

/** What happens to kept data as time goes by: scheduled backups are taken, what had its time goes. */
export class Retention {
  readonly #parts: RetentionParts;
  readonly #watch: WallClockWatch;
  readonly #due = new Map<string, Date | undefined>();
  #looks = 0;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
    this.#watch = new WallClockWatch(parts.ports.clock);
  }

  /** Until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    void this.#follow(signal);
    while (!signal.aborted) {
      await this.look().catch((error: unknown) => this.#parts.ports.log('retention.failed', { error }));
      await pause(lookMs, signal);
    }
  }

  /** Whatever changes data is an activity; one that failed or was taken back leaves copies that nothing names any more. */
  async #follow(signal: AbortSignal): Promise<void> {
    const { activities, keeper, ports } = this.#parts;
    for await (const _ of activities.endings(signal)) {
      await pause(sweepAfterMs, signal);
      if (!signal.aborted) await keeper.sweep().catch((error: unknown) => ports.log('retention.failed', { error }));
    }
  }

  /** Looks once. */
  async look(): Promise<void> {
    const { ports, keeper } = this.#parts;
    const { store, clock, log } = ports;
    const sweeps = this.#looks % sweepEvery === 0;
    this.#looks += 1;
    const isTrusted = this.#watch.isTrusted((ms) => log('clock.jumped', { ms, consequence: 'nothing is deleted by its age for a day' }));
    await this.#backUpWhatIsDue();
    if (!sweeps) return;
    for (const { id } of this.outdated()) store.backups.delete(id);
    if (isTrusted) await keeper.empty(store.trash.list({}).filter(({ purgeAt }) => Date.parse(purgeAt) <= clock.now().getTime()));
    await keeper.sweep();
  }

  /** Backups that nothing keeps any longer, of all environments. */
  outdated(): readonly BackupRecord[] {
    const { store } = this.#parts.ports;
    const byEnvironment = Map.groupBy(store.backups.list({}), ({ environment }) => environment);
    const inTrash = new Set(store.trash.list({}).flatMap(({ environment, snapshot }) => (snapshot === undefined ? [] : [environment])));
    return [...byEnvironment].flatMap(([id, backups]) => {
      const record = store.environments.get(id);
      // What an environment took by itself goes with it, once it cannot come back.
      if (!record && !inTrash.has(id)) return backups.filter(({ kind }) => kind !== 'manual');
      return outdatedBackups(backups, this.#keeping(id, record));
    });
  }

  #keeping(id: EnvironmentId, record: EnvironmentRecord | undefined): Keeping {
    const { ports, declarations } = this.#parts;
    const kept = (ports.settings.retention ?? defaultRetention).deployments;
    const rules = record ? declarations.of(record).backups : [];
    return {
      deployments: new Set(ports.store.deployments.list(id, kept).map((deployment) => deployment.id)),
      scheduled: new Map(rules.map(({ schedule, keep }) => [reasonOf(schedule), keep])),
      replaced: keptReplaced,
    };
  }

  async #backUpWhatIsDue(): Promise<void> {
    const { ports } = this.#parts;
    const now = ports.clock.now();
    const seen = new Set<string>();
    for (const environment of ports.store.environments.list()) {
      for (const schedule of this.#schedules(environment)) {
        const key = `${environment.id} ${schedule}`;
        seen.add(key);
        if (!this.#isDue({ key, schedule, environment: environment.id }, now)) continue;
        // One that fails says so in its activity.
        const asked = { actor: 'coppice', cause: reasonOf(schedule), kind: 'scheduled' } as const;
        await this.#parts.changer.backUp(environment, asked).catch((error: unknown) => ports.log('backup.failed', { key, error }));
      }
    }
    for (const key of this.#due.keys()) if (!seen.has(key)) this.#due.delete(key);
  }

  /** What was due while no server ran is made up for, once. */
  #isDue(rule: { readonly key: string; readonly schedule: string; readonly environment: EnvironmentId }, now: Date): boolean {
    const { key, schedule, environment } = rule;
    const next = (after: Date): Date | undefined => nextTimeOf(schedule, { after, seed: environment });
    const due = this.#due.has(key) ? this.#due.get(key) : next(this.#lastTaken(environment, schedule) ?? now);
    const isDue = due !== undefined && due <= now;
    this.#due.set(key, isDue ? next(now) : due);
    return isDue;
  }

  #lastTaken(environment: EnvironmentId, schedule: string): Date | undefined {
    const backups = this.#parts.ports.store.backups.list({ environment });
    const last = backups.find(({ kind, reason }) => kind === 'scheduled' && reason === reasonOf(schedule));
    return last && new Date(last.createdAt);
  }

  #schedules(environment: EnvironmentRecord): readonly string[] {
    if (!environment.desired.exists || isClosed(environment.desired)) return [];
    return [...new Set(this.#parts.declarations.of(environment).backups.map(({ schedule }) => schedule))];
  }
}

/** What a backup of a schedule says why it was taken. */
function reasonOf(schedule: string): string {
  return `scheduled: ${schedule}`;
}

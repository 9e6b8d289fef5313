import { EventEmitter } from 'node:events';
import {
  type Activity,
  type ActivityKind,
  type ActivityState,
  CoppiceError,
  type DeploymentId,
  type EnvironmentId,
  plainText,
  redact,
} from '@coppice/model';
import type { Store } from '@coppice/state';
import { FailureCount } from './failure-count.ts';
import { LineBatch } from './line-batch.ts';
import type { Ports } from './ports.ts';

/** A reader that is far behind is told so many at a time, so that it does not hold the rest in memory. */
const changesAtOnce = 100;

/** An activity that runs: where its lines go, and how it is stopped. */
export interface RunningActivity {
  readonly id: string;
  /** Aborted by `cancel`. */
  readonly signal: AbortSignal;
  /** Appends a line to the log and tells whoever follows, without control characters and secrets. */
  readonly say: (line: string) => void;
  /** Appends a line to the log only: who caused it hears of it otherwise. */
  readonly note: (line: string) => void;
  /** Says what it is about, once that is known. */
  readonly about: (what: { readonly environment?: EnvironmentId; readonly deployment?: DeploymentId }) => void;
  /** A line of the server's own log that names the activity, and its environment and deployment where they are known. */
  readonly log: Ports['log'];
  /** `error`: what ended it, where it did not succeed. */
  readonly finish: (state: Exclude<ActivityState, 'running'>, error?: unknown) => void;
}

export interface ActivityStart {
  readonly kind: ActivityKind;
  readonly project: string;
  readonly environment: EnvironmentId | undefined;
  readonly actor: string;
  readonly cause: string;
  /** Also gets each line, as it is stored. */
  readonly echo?: (line: string) => void;
  /** Aborts the activity too. */
  readonly signal?: AbortSignal;
}

/** Records what happens: activities with their logs, and tells those who watch. */
export class ActivityRecorder {
  readonly #store: Store;
  readonly #running = new Map<string, { readonly controller: AbortController; readonly lines: LineBatch }>();
  readonly #bell = new EventEmitter().setMaxListeners(0);
  readonly #around: Partial<Pick<Ports, 'log' | 'measure'>>;
  /** What activities fail with; others that meet failures count them here too. */
  readonly failures: FailureCount;

  constructor(store: Store, around: Partial<Pick<Ports, 'log' | 'measure'>> = {}) {
    this.#store = store;
    this.#around = around;
    this.failures = new FailureCount(around);
  }

  start(start: ActivityStart): RunningActivity {
    const { echo, signal: outer, ...record } = start;
    const { id } = this.#store.activities.create({ ...record, deployment: undefined });
    const controller = new AbortController();
    const lines = new LineBatch((batch) => {
      this.#store.activities.append(id, batch);
      this.#bell.emit(`log ${id}`);
    });
    this.#running.set(id, { controller, lines });
    this.#bell.emit('activity');
    let { environment } = start;
    let deployment: DeploymentId | undefined;
    const log: Ports['log'] = (event, details) => this.#around.log?.(event, { activity: id, environment, deployment, ...details });
    log('activity.started', { kind: start.kind, project: start.project, actor: start.actor });
    return {
      id,
      log,
      signal: outer ? AbortSignal.any([controller.signal, outer]) : controller.signal,
      say: (line) => {
        const clean = redact(plainText(line), this.#store.secrets.values(environment));
        lines.add(clean);
        echo?.(clean);
      },
      note: (line) => lines.add(redact(plainText(line), this.#store.secrets.values(environment))),
      about: (what) => {
        environment = what.environment ?? environment;
        deployment = what.deployment ?? deployment;
        this.#store.activities.update(id, what);
        this.#bell.emit('activity');
      },
      finish: (state, error) => {
        if (error !== undefined) this.failures.add(error, state === 'cancelled' ? 'cancelled' : undefined);
        this.#around.measure?.({ kind: 'activity-ended', activity: start.kind, state });
        log('activity.ended', { kind: start.kind, project: start.project, state, ...(state === 'failed' ? { error } : {}) });
        lines.flush();
        this.#running.delete(id);
        this.#store.activities.update(id, { state });
        this.#bell.emit('activity');
        this.#bell.emit('ended');
        this.#bell.emit(`log ${id}`);
      },
    };
  }

  /** Aborts a running activity; false where it does not run here. */
  cancel(id: string): boolean {
    const controller = this.#running.get(id)?.controller;
    controller?.abort(new CoppiceError('cancelled', 'it was cancelled'));
    return controller !== undefined;
  }

  /** Marks what a server that died left running as failed. */
  closeInterrupted(): void {
    this.#store.transaction(() => {
      for (const activity of this.#store.activities.list({ state: 'running' })) {
        this.#store.activities.append(activity.id, ['the server stopped while this ran']);
        this.#store.activities.update(activity.id, { state: 'failed' });
      }
    });
  }

  /** Lines so far, and with `follow` as they come until the activity ends. */
  async *log(id: string, options: { readonly follow: boolean; readonly signal?: AbortSignal }): AsyncIterable<string> {
    const bell = this.#listen(`log ${id}`, options.signal);
    let seen = 0;
    try {
      this.#running.get(id)?.lines.flush();
      for (;;) {
        const ended = this.#store.activities.get(id)?.state !== 'running';
        const lines = this.#store.activities.log(id, seen);
        seen += lines.length;
        yield* lines;
        if (ended || !options.follow || !(await bell.next())) break;
      }
    } finally {
      bell.close();
    }
  }

  /** Resolves with the activity once it has ended. */
  async ended(id: string): Promise<Activity | undefined> {
    const bell = this.#listen(`log ${id}`, undefined);
    try {
      let activity = this.#store.activities.get(id);
      while (activity?.state === 'running' && (await bell.next())) activity = this.#store.activities.get(id);
      return activity;
    } finally {
      bell.close();
    }
  }

  /** Yields whenever activities ended since it yielded last, however many. Ends when called off. */
  async *endings(signal: AbortSignal): AsyncIterable<void> {
    const bell = this.#listen('ended', signal);
    try {
      while (await bell.next()) yield;
    } finally {
      bell.close();
    }
  }

  /**
   * Activities that changed since the revision `after`, in the order of their last change, then those that change; where `after` is
   * undefined or was never given, only the latter. One that changes again before it is told is told once. Ends when called off.
   */
  async *changes({ after, signal }: { readonly after: number | undefined; readonly signal: AbortSignal }): AsyncIterable<Activity> {
    const bell = this.#listen('activity', signal);
    const last = this.#store.activities.lastRevision();
    let seen = after !== undefined && after <= last ? after : last;
    try {
      while (!signal.aborted) {
        const changed = this.#store.activities.changedSince(seen, changesAtOnce);
        for (const activity of changed) {
          if (signal.aborted) return;
          seen = activity.revision;
          yield activity;
        }
        if (changed.length === 0 && !(await bell.next())) return;
      }
    } finally {
      bell.close();
    }
  }

  /** A bell that rings for an event: `next` is true at a ring since the last call, false once `signal` is aborted. */
  #listen(event: string, signal: AbortSignal | undefined): { next(): Promise<boolean>; close(): void } {
    let rung = signal?.aborted === true;
    let wake: (() => void) | undefined;
    const ring = (): void => {
      rung = true;
      wake?.();
    };
    this.#bell.on(event, ring);
    signal?.addEventListener('abort', ring);
    return {
      next: async () => {
        if (!rung) await new Promise<void>((resolve) => (wake = resolve));
        rung = false;
        return signal?.aborted !== true;
      },
      close: () => {
        this.#bell.off(event, ring);
        signal?.removeEventListener('abort', ring);
      },
    };
  }
}

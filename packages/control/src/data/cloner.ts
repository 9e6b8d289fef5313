import { CoppiceError, type EnvironmentSpec, type Release } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { RunningActivity } from '../activity-recorder.ts';
import type { ChangeQueue } from '../change-queue.ts';
import type { NewData } from '../environment/deploy-request.ts';
import type { Ports } from '../ports.ts';
import { laneOf } from '../push/deploy-push.ts';
import type { Capture } from './capture.ts';
import { type CloneTerms, sanitizeFor, startsEmpty } from './clone-terms.ts';
import { type OriginOfData, originOfData } from './origin-of-data.ts';
import { refuseUnfinished } from './unsettled-data.ts';

export interface ClonerParts {
  readonly ports: Ports;
  readonly queue: ChangeQueue;
  readonly capture: Capture;
}

/** Who gets a copy, and what is to run on it. */
export interface CloneTarget {
  readonly environment: EnvironmentRecord;
  readonly release: Release;
  readonly spec: EnvironmentSpec;
  readonly activity: Pick<RunningActivity, 'say' | 'log' | 'signal'>;
}

/** Takes the data of one environment for another. */
export class Cloner {
  readonly #parts: ClonerParts;

  constructor(parts: ClonerParts) {
    this.#parts = parts;
  }

  /** What a new branch begins with: a copy of its parent's data; undefined where it begins empty, which is said. */
  async forNewBranch(target: CloneTarget): Promise<NewData | undefined> {
    const { store } = this.#parts.ports;
    const { environment, activity } = target;
    const parent = environment.parent && store.environments.get(environment.parent);
    const origin = parent && this.#origin(parent);
    if (!parent || !origin || origin.held.size === 0) return undefined;
    if (this.#beginsEmpty(origin, target)) return undefined;
    const data = await this.copyOf(parent, target);
    if (data) activity.say(`${environment.name} begins with a copy of the data of ${parent.name}`);
    return data;
  }

  /** What a new branch begins with that gets data that is kept: foreign all the same. Undefined where it begins empty, which is said. */
  ofKept({ origin, source }: NewData, target: CloneTarget): NewData | undefined {
    if (this.#beginsEmpty(origin, target)) return undefined;
    const sanitize = sanitizeFor(termsOf(origin, target));
    return { origin, source: { ...source, ...(sanitize ? { sanitize } : {}) } };
  }

  #beginsEmpty(origin: OriginOfData, target: CloneTarget): boolean {
    const why = startsEmpty(termsOf(origin, target));
    if (why !== undefined) target.activity.say(`${target.environment.name} begins without data: ${why}`);
    return why !== undefined;
  }

  /** A copy of all that the source holds now; undefined where it holds nothing. In the source's turn; the caller has the target's. */
  async copyOf(source: EnvironmentRecord, target: CloneTarget): Promise<NewData | undefined> {
    const { queue, ports, capture } = this.#parts;
    const holder = laneOf(target.environment.project, target.environment.branch);
    const copied = async (): Promise<NewData | undefined> => {
      const now = ports.store.environments.get(source.id);
      if (!now?.desired.exists) {
        throw new CoppiceError('conflict', `${source.name}, whose data it is to get, is being deleted`, {
          hint: 'begin without data: git push -o no-clone',
        });
      }
      await refuseUnfinished(ports, now);
      const origin = this.#origin(now);
      if (!origin) return undefined;
      // Asked first: nobody stands still for a copy that may not be used.
      const sanitize = sanitizeFor(termsOf(origin, target));
      const from = await capture.take(now, target.activity);
      if (from === undefined) return undefined;
      const aside = ports.store.backups.newId();
      return { origin, source: { from, keep: false, aside, ...(sanitize ? { sanitize } : {}) } };
    };
    return await queue.runFor(holder, laneOf(source.project, source.branch), copied, target.activity.signal);
  }

  #origin({ live }: EnvironmentRecord): OriginOfData | undefined {
    const { store } = this.#parts.ports;
    return originOfData(store, live && store.deployments.specOf(live));
  }
}

function termsOf(origin: OriginOfData, { release, spec, environment }: CloneTarget): CloneTerms {
  return { origin, target: { release, spec, branch: environment.branch } };
}

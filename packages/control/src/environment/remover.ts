import { isClosed, type SnapshotId } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { ActivityRecorder } from '../activity-recorder.ts';
import { purgeAt } from '../data/laid-aside.ts';
import { environmentById } from '../history/find.ts';
import type { Ports } from '../ports.ts';
import { failureLines } from '../push/push-lines.ts';
import { deleteBranch } from './delete-branch.ts';
import { supersedeIntents } from './left-intents.ts';
import type { Reconciler } from './reconciler.ts';

export interface Removal {
  readonly project: string;
  readonly environment: EnvironmentRecord | undefined;
  readonly ref: string;
  /** What the ref is at; empty: it is gone already. */
  readonly previous: string;
  readonly actor: string;
  readonly cause: string;
  readonly echo?: (line: string) => void;
}

const none = '0'.repeat(40);

/** Deletes environments: all that runs, the network, the data, then the branch and the record. */
export class Remover {
  readonly #ports: Ports;
  readonly #activities: ActivityRecorder;
  readonly #reconciler: Reconciler;

  constructor(ports: Ports, activities: ActivityRecorder, reconciler: Reconciler) {
    this.#ports = ports;
    this.#activities = activities;
    this.#reconciler = reconciler;
  }

  /** Resolves with the activity's id when all is gone. */
  async remove(removal: Removal): Promise<string> {
    const { store, volumes } = this.#ports;
    // As it is now that its turn has come.
    const environment = removal.environment && environmentById(store, removal.environment.id);
    const activity = this.#activities.start({
      kind: 'delete',
      project: removal.project,
      environment: environment?.id,
      actor: removal.actor,
      cause: removal.cause,
      ...(removal.echo ? { echo: removal.echo } : {}),
    });
    try {
      if (environment) {
        const generation = await volumes.generation(environment.id);
        const data = this.#dataOf(environment, generation);
        const intent = this.#wish(environment, removal, data);
        await this.#reconciler.reconcile(environment.id, { activity, deployment: undefined, crashed: 'start' });
        await deleteBranch(this.#ports, removal);
        await this.#reconciler.forget(environment.id);
        store.intents.delete(intent);
        activity.say(
          `environment ${environment.name} is deleted${data === 'none' ? '' : '; its data is in the trash: coppice trash list'}`,
        );
      } else await deleteBranch(this.#ports, removal);
      activity.finish('succeeded');
      return activity.id;
    } catch (error) {
      for (const line of failureLines(error)) activity.say(line);
      activity.finish('failed', error);
      throw error;
    }
  }

  #dataOf({ live, desired }: EnvironmentRecord, generation: number | undefined): KeptData {
    if (live === undefined || generation === undefined) return 'none';
    if (!isClosed(desired) || generation !== desired.dataGeneration) return 'set';
    return desired.dataSource && this.#ports.store.backups.get(desired.dataSource.aside) ? 'aside' : 'none';
  }

  #wish(environment: EnvironmentRecord, removal: Removal, data: KeptData): string {
    const { store } = this.#ports;
    return store.transaction(() => {
      // What an earlier attempt left is not taken back any more: that would bring the environment back.
      supersedeIntents(store, environment.id);
      const keepData = data === 'set' ? (environment.desired.keepData ?? store.backups.newId()) : undefined;
      const snapshot = data === 'aside' ? environment.desired.dataSource?.aside : keepData;
      if (snapshot) this.#intoTrash(environment, snapshot);
      store.environments.setDesired(environment.id, { ...environment.desired, exists: false, ...(keepData ? { keepData } : {}) });
      return store.intents.create({
        project: removal.project,
        environment: environment.id,
        ref: removal.ref,
        previous: removal.previous,
        next: none,
        deployment: undefined,
        actor: removal.actor,
        options: [],
        phase: 'accepted',
      }).id;
    });
  }

  #intoTrash({ id, project, name, branch, live }: EnvironmentRecord, snapshot: SnapshotId): void {
    const { store } = this.#ports;
    if (store.trash.list({ environment: id }).some((record) => record.snapshot === snapshot)) return;
    const commit = live && store.deployments.get(live)?.commit;
    const whole = { node: undefined, folder: undefined, type: undefined };
    const kept = { ...whole, snapshot, deployment: live, commit, purgeAt: purgeAt(this.#ports) };
    store.trash.create({ project, environment: id, environmentName: name, branch, ...kept });
  }
}

/** What of an environment's data goes into the trash. A copy that was never sanitised is nobody's to keep: what it took the place of is. */
type KeptData = 'set' | 'aside' | 'none';

import { isClosed, type SnapshotId } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { ActivityRecorder } from '../activity-recorder.ts';
import type { DataKeeper } from '../data/data-keeper.ts';
import type { Ports } from '../ports.ts';
import { failureLines } from '../push/push-lines.ts';
import { deleteBranch } from './delete-branch.ts';
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
  readonly #keeper: DataKeeper;

  constructor(ports: Ports, activities: ActivityRecorder, reconciler: Reconciler, keeper: DataKeeper) {
    this.#ports = ports;
    this.#activities = activities;
    this.#reconciler = reconciler;
    this.#keeper = keeper;
  }

  /** Resolves with the activity's id when all is gone. */
  async remove(removal: Removal): Promise<string> {
    const { environment } = removal;
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
        // A copy that was never sanitised is nobody's to keep.
        const isKept = environment.live !== undefined && !isClosed(environment.desired);
        const holdsData = isKept && (await this.#ports.volumes.generation(environment.id)) !== undefined;
        const intent = this.#wish(environment, removal, holdsData);
        await this.#reconciler.reconcile(environment.id, { activity, deployment: undefined, crashed: 'start' });
        await deleteBranch(this.#ports, removal);
        await this.#reconciler.forget(environment.id);
        this.#ports.store.intents.delete(intent);
        activity.say(`environment ${environment.name} is deleted${holdsData ? '; its data is in the trash: coppice trash list' : ''}`);
      } else await deleteBranch(this.#ports, removal);
      activity.finish('succeeded');
      return activity.id;
    } catch (error) {
      for (const line of failureLines(error)) activity.say(line);
      activity.finish('failed', error);
      throw error;
    }
  }

  #wish(environment: EnvironmentRecord, removal: Removal, holdsData: boolean): string {
    const { store } = this.#ports;
    return store.transaction(() => {
      const keepData = holdsData ? (environment.desired.keepData ?? this.#intoTrash(environment)) : undefined;
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

  #intoTrash({ id, project, name, branch, live }: EnvironmentRecord): SnapshotId {
    const { store } = this.#ports;
    const snapshot = store.backups.newId();
    const commit = live && store.deployments.get(live)?.commit;
    const whole = { node: undefined, folder: undefined, type: undefined };
    const purgeAt = this.#keeper.purgeAt();
    store.trash.create({ project, environment: id, environmentName: name, branch, ...whole, snapshot, deployment: live, commit, purgeAt });
    return snapshot;
  }
}

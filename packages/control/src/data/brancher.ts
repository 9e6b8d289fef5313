import { refNameProblem } from '@coppice/git';
import { CoppiceError, environmentName } from '@coppice/model';
import type { EnvironmentRecord, TrashRecord } from '@coppice/state';
import type { BranchRequest } from '../data-commands.ts';
import type { NewData } from '../environment/deploy-request.ts';
import type { Redeployer } from '../environment/redeployer.ts';
import { deploymentNamed, environmentNamed } from '../history/find.ts';
import type { Ports } from '../ports.ts';
import { checkRoom } from '../push/check-room.ts';
import type { Cloner, CloneTarget } from './cloner.ts';
import { lastServed } from './last-served.ts';
import { originOfData } from './origin-of-data.ts';

export interface BrancherParts {
  readonly ports: Ports;
  readonly cloner: Cloner;
  readonly redeployer: Redeployer;
}

/** Makes environments that no push made: branches by command, and what comes back from the trash. */
export class Brancher {
  readonly #parts: BrancherParts;

  constructor(parts: BrancherParts) {
    this.#parts = parts;
  }

  /** Starts it; answers the activity's id at once. */
  branch(project: string, { name, from, at, actor }: BranchRequest): string {
    const { ports, cloner, redeployer } = this.#parts;
    const { store } = ports;
    const problem = refNameProblem(name);
    if (problem !== undefined) throw new CoppiceError('invalid-request', `"${name}" cannot be a branch's name: ${problem}`);
    const target = at === '' ? undefined : deploymentNamed(store, project, at);
    const source = (from === '' && target && store.environments.get(target.environment)) || environmentNamed(store, project, from);
    const live = target ?? (source.live && store.deployments.get(source.live));
    if (!live || live.environment !== source.id) {
      const why = live ? `${live.id} is no deployment of ${source.name}` : `${source.name} has never served`;
      throw new CoppiceError('conflict', `${why}, so there is nothing to branch from`);
    }
    const isNow = live.id === source.live;
    const data = isNow
      ? (copy: CloneTarget): Promise<NewData | undefined> => cloner.forNewBranch(copy)
      : async (copy: CloneTarget): Promise<NewData | undefined> => cloner.ofKept(lastServed(store, source, live), copy);
    const environment = this.#create(project, name, source.id);
    const cause = `branch of ${source.name}${isNow ? '' : ` at ${live.id}`}`;
    return redeployer.begin(environment, { kind: 'branch', actor, cause, commit: live.commit, data });
  }

  /** Starts bringing a deleted environment back, with its branch; answers the activity's id at once. */
  bringBack(record: TrashRecord, actor: string): string {
    const { ports, redeployer } = this.#parts;
    const { store } = ports;
    const { project, branch, snapshot, commit, deployment } = record;
    if (snapshot === undefined || commit === undefined) {
      throw new CoppiceError('conflict', `${record.node ?? record.environmentName} comes back by itself: its data is attached again`, {
        hint: `push a file that names ${record.node ?? 'it'} again`,
      });
    }
    const origin = originOfData(store, deployment && store.deployments.specOf(deployment));
    if (!origin) throw new CoppiceError('not-found', `no record is left of what served the data of ${record.environmentName}`);
    const environment = this.#create(project, branch, undefined);
    // Kept until it serves: a deployment that fails takes its environment with it.
    const data = { origin, source: { from: snapshot, keep: true, aside: store.backups.newId() } };
    const done = async (): Promise<void> => {
      store.trash.delete(record.id);
      await ports.volumes.removeSnapshot(snapshot);
    };
    const cause = `${record.environmentName} comes back from the trash`;
    return redeployer.begin(environment, { kind: 'trash', actor, cause, commit, data: () => Promise.resolve(data), done });
  }

  #create(project: string, branch: string, parent: EnvironmentRecord['parent']): EnvironmentRecord {
    const { store } = this.#parts.ports;
    const there = store.environments.findByBranch(project, branch);
    if (there) {
      throw new CoppiceError('conflict', `the branch ${branch} has an environment already: ${there.name}`, {
        hint: 'delete it first, or take another name',
      });
    }
    checkRoom(this.#parts.ports, project, 1);
    const taken = new Set(store.environments.list(project).map((environment) => environment.name));
    return store.environments.create({ project, name: environmentName(branch, taken), branch, parent });
  }
}

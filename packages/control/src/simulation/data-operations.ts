import type { EnvironmentId } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { ControlPlane } from '../control-plane.ts';
import type { DataWatch } from './data-watch.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedServer } from './simulated-server.ts';

/** How often each operation on data comes, by weight, where there is something to do it with. */
export const dataWeights = {
  backUp: 2,
  restore: 5,
  sync: 8,
  branchByCommand: 4,
  revertWithData: 6,
  restoreTrash: 8,
  emptyTrash: 1.5,
} as const;

export type DataOperationKind = keyof typeof dataWeights;

/** One operation: what is asked of the control plane. */
interface Question {
  readonly what: string;
  readonly ask: (control: ControlPlane) => Promise<unknown>;
}

/** Names of branches in the simulation. */
export const branches = ['main', 'side', 'feature/a', 'copy'];

/** What people do with the data of environments. */
export class DataOperations {
  readonly #server: SimulatedServer;
  readonly #random: SeededRandom;
  readonly #data: DataWatch;
  /** In some histories people care more for data than for code. */
  readonly #care: number;
  /** Backups whose ids people were told. */
  readonly promised = new Set<string>();

  constructor(parts: { readonly server: SimulatedServer; readonly random: SeededRandom; readonly data: DataWatch }) {
    this.#server = parts.server;
    this.#random = parts.random;
    this.#data = parts.data;
    this.#care = this.#random.pick([0.3, 1, 3]);
  }

  /** The weights of those for which there is something. */
  weights(): Readonly<Record<DataOperationKind, number>> {
    const { backups, trash } = this.#server.ports.store;
    const served = this.#served();
    const isThere: Readonly<Record<DataOperationKind, boolean>> = {
      backUp: this.#server.volumes.sets().size > 0,
      restore: backups.list({ project: 'shop' }).length > 0,
      sync: served.some(({ parent }) => parent !== undefined),
      branchByCommand: served.length > 0 && this.#absentBranches().length > 0,
      revertWithData: served.some((environment) => this.#earlier(environment).length > 0),
      restoreTrash: trash.list({ project: 'shop' }).length > 0,
      emptyTrash: trash.list({ project: 'shop' }).length > 0,
    };
    return mapped(dataWeights, (kind, weight) => (isThere[kind] ? weight * this.#care : 0));
  }

  /** What is to be asked; undefined where there is nothing to ask it about any more. */
  question(kind: DataOperationKind): Question | undefined {
    switch (kind) {
      case 'backUp':
        return this.#backUp();
      case 'restore':
        return this.#restore();
      case 'sync':
        return this.#sync();
      case 'branchByCommand':
        return this.#branch();
      case 'revertWithData':
        return this.#revert();
      case 'restoreTrash':
        return this.#restoreTrash();
      case 'emptyTrash':
        this.#data.trashMayGo();
        return { what: 'emptying of the trash', ask: (control) => control.emptyTrash('shop', 'ada') };
    }
  }

  #backUp(): Question | undefined {
    const holding = this.#server.ports.store.environments.list('shop').filter(({ id }) => this.#server.volumes.sets().has(id));
    const environment = this.#pick(holding);
    if (!environment) return undefined;
    const ask = async (control: ControlPlane): Promise<void> => {
      const { id } = await control.createBackup('shop', environment.name, 'ada');
      this.promised.add(id);
    };
    return { what: `backup of ${environment.name}`, ask };
  }

  #restore(): Question | undefined {
    const { backups, environments } = this.#server.ports.store;
    const backup = this.#pick(backups.list({ project: 'shop' }));
    const to = backup && (this.#random.chance(0.6) ? environments.get(backup.environment) : this.#pick(environments.list('shop')));
    if (!backup || !to) return undefined;
    const { id } = backup;
    const name = to.id === backup.environment ? '' : to.name;
    return this.#changing(to.id, `restore of ${id} to ${to.name}`, (control) =>
      control.restoreBackup('shop', id, { to: name, actor: 'ada' }),
    );
  }

  #sync(): Question | undefined {
    const environment = this.#pick(this.#served().filter(({ parent }) => parent !== undefined));
    if (!environment) return undefined;
    const { id, name } = environment;
    const options = { actor: 'ada', force: this.#random.chance(0.9) };
    return this.#changing(id, `sync of ${name}`, (control) => control.sync('shop', name, options));
  }

  #branch(): Question | undefined {
    const from = this.#pick(this.#served());
    const name = this.#pick(this.#absentBranches());
    if (!from || name === undefined) return undefined;
    const at = this.#random.chance(0.3) ? (this.#pick(this.#earlier(from)) ?? '') : '';
    return {
      what: `branch ${name} of ${from.name} ${at}`,
      ask: (control) => control.branch('shop', { name, from: from.name, at, actor: 'ada' }),
    };
  }

  #revert(): Question | undefined {
    const environment = this.#pick(this.#served().filter((each) => this.#earlier(each).length > 0));
    const deployment = environment && this.#pick(this.#earlier(environment));
    if (!environment || deployment === undefined) return undefined;
    const options = { actor: 'ada', environment: environment.name, withData: true };
    return this.#changing(environment.id, `revert of ${environment.name} with data`, (control) =>
      control.revert('shop', deployment, options),
    );
  }

  #restoreTrash(): Question | undefined {
    const record = this.#pick(this.#server.ports.store.trash.list({ project: 'shop' }));
    if (!record) return undefined;
    return { what: `restore of ${record.id}`, ask: (control) => control.restoreTrash('shop', record.id, 'ada') };
  }

  #changing(environment: EnvironmentId, what: string, ask: Question['ask']): Question {
    this.#data.mayChange(environment);
    return { what, ask };
  }

  #served(): readonly EnvironmentRecord[] {
    return this.#server.ports.store.environments.list('shop').filter(({ live }) => live !== undefined);
  }

  /** Deployments that served before the one that does now. */
  #earlier({ id, live }: EnvironmentRecord): readonly string[] {
    const served = this.#server.ports.store.deployments.list(id).filter(({ status }) => status === 'succeeded');
    return served.filter((deployment) => deployment.id !== live).map((deployment) => deployment.id);
  }

  #absentBranches(): readonly string[] {
    return branches.filter((branch) => !this.#server.ports.store.environments.findByBranch('shop', branch));
  }

  #pick<Item>(items: readonly Item[]): Item | undefined {
    return items.length === 0 ? undefined : this.#random.pick(items);
  }
}

function mapped<Key extends string>(
  record: Readonly<Record<Key, number>>,
  change: (key: Key, value: number) => number,
): Readonly<Record<Key, number>> {
  const entries = (Object.entries(record) as [Key, number][]).map(([key, value]) => [key, change(key, value)]);
  return Object.fromEntries(entries) as Record<Key, number>;
}

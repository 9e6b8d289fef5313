import type { EnvironmentId, ObservedEnvironment, SnapshotId } from '@coppice/model';
import { mountedFolders } from '@coppice/plan';
import type { BackupRecord, TrashRecord } from '@coppice/state';
import type { KeptSnapshot } from '@coppice/volumes';
import { lastDeclared } from '../environment/kept-volumes.ts';
import { liveOf } from '../history/find.ts';
import type { Ports } from '../ports.ts';
import { recordFolder } from './laid-aside.ts';
import { type NewBackup, recordBackup } from './record-backup.ts';
import type { SnapshotClaims } from './snapshot-claims.ts';

/** Of the data that each environment holds; missing where no set is seen. */
type Generations = ReadonlyMap<EnvironmentId, number>;

export interface DataKeeperParts {
  readonly ports: Ports;
  readonly claims: SnapshotClaims;
}

/** A kept copy, and what becomes of it. */
export interface SnapshotGarbage {
  readonly id: SnapshotId;
  readonly action: 'keep' | 'delete';
  /** For people. */
  readonly why: string;
}

/** The records of kept data: backups and the trash. What no record, no environment and nobody at work names is swept away. */
export class DataKeeper {
  readonly #parts: DataKeeperParts;

  constructor(parts: DataKeeperParts) {
    this.#parts = parts;
  }

  /** Records a kept copy, or one that is about to be kept, as a backup of what is live; its claim is released. */
  record(backup: NewBackup): BackupRecord {
    const { ports, claims } = this.#parts;
    const record = recordBackup(ports.store, backup);
    claims.release(backup.id);
    return record;
  }

  /** A desired state names the copy now, or nobody will. */
  named(id: SnapshotId): void {
    this.#parts.claims.release(id);
  }

  /**
   * Brings the trash of an environment to what lies in its volumes: what no node uses is in it, what one uses again is not. `volumes`: what was
   * just seen to be there. To be called where the data is as desired.
   */
  async settle(id: EnvironmentId, volumes?: ObservedEnvironment['volumes']): Promise<void> {
    const { ports } = this.#parts;
    const { store } = ports;
    const environment = store.environments.get(id);
    const spec = environment && liveOf(store, environment)?.spec;
    if (!spec) return;
    const used = mountedFolders(spec.nodes);
    const folders = new Set<string>((volumes ?? (await ports.volumes.inspect(id))).map(({ node }) => node));
    const known = store.trash.list({ environment: id }).filter(({ folder }) => folder !== undefined);
    for (const { id: record, folder = '' } of known) if (!folders.has(folder) || used.has(folder)) store.trash.delete(record);
    const unknown = [...folders].filter((folder) => !used.has(folder) && !known.some((record) => record.folder === folder));
    for (const folder of unknown) recordFolder(ports, environment, { folder, owner: lastDeclared(ports, environment, folder) });
  }

  /** Deletes what lies in the trash for good; answers how much that was. What is used again meanwhile stays. */
  async empty(records: readonly TrashRecord[]): Promise<number> {
    const { store, volumes } = this.#parts.ports;
    let count = 0;
    for (const { id } of records) {
      const record = store.trash.get(id);
      if (!record) continue;
      const { environment, folder, snapshot } = record;
      // Of an environment that is still being deleted the data is not there yet.
      if (snapshot !== undefined && store.environments.get(environment)?.desired.keepData === snapshot) continue;
      if (folder !== undefined && !this.#isWanted(environment, folder)) await volumes.removeNode({ environment, node: folder });
      // Before its copy: one that nothing names is swept away, and a record without a copy would promise what is gone.
      store.trash.delete(id);
      if (snapshot !== undefined) await volumes.removeSnapshot(snapshot);
      count += 1;
    }
    return count;
  }

  /** Whether what shall run uses the folder, or is about to. */
  #isWanted(id: EnvironmentId, folder: string): boolean {
    const desired = this.#parts.ports.store.environments.get(id)?.desired;
    const declared = desired?.spec?.nodes.some(({ name }) => name === folder) ?? false;
    return declared || (desired?.volumeMoves?.some(({ from, to }) => from === folder || to === folder) ?? false);
  }

  /** Every kept copy, and why it stays or goes. */
  async garbage(): Promise<readonly SnapshotGarbage[]> {
    const generations = await this.#generations();
    return this.#garbageOf(await this.#parts.ports.volumes.snapshots(), generations);
  }

  /** Deletes kept copies that nothing names, and records of replaced data that were written for a copy which then never was made. */
  async sweep(): Promise<void> {
    const { store, volumes, log } = this.#parts.ports;
    this.#forgetBroughtBack();
    const replaced = store.backups.list({}).filter(({ kind }) => kind === 'replaced');
    const desired = new Map(store.environments.list().map((environment) => [environment.id, environment.desired]));
    const generations = await this.#generations();
    const copies = await volumes.snapshots();
    for (const { id, action } of this.#garbageOf(copies, generations)) {
      if (action === 'keep') continue;
      log('data.swept', { snapshot: id });
      await volumes.removeSnapshot(id);
    }
    const there = new Set(copies.map(({ id }) => id));
    for (const { id, environment } of replaced) {
      // Where the set is not seen, nothing is known of copies either.
      const isSwitched = generations.has(environment) && generations.get(environment) === desired.get(environment)?.dataGeneration;
      // One that is gone was deleted before its data was replaced.
      const isOver = isSwitched || !desired.has(environment);
      if (isOver && !there.has(id)) store.backups.delete(id);
    }
  }

  /** What came back from the trash and serves is not in it: a server may have died before it took it out. */
  #forgetBroughtBack(): void {
    const { store } = this.#parts.ports;
    const back = new Set(store.environments.list().flatMap(({ live, desired }) => (live ? [desired.dataSource?.from] : [])));
    for (const { id, snapshot } of store.trash.list({})) if (snapshot !== undefined && back.has(snapshot)) store.trash.delete(id);
  }

  /** Without a wait from the first record to the last claim: a claim is released once a record takes its place. */
  #garbageOf(copies: readonly KeptSnapshot[], generations: Generations): readonly SnapshotGarbage[] {
    const named = this.#named(generations);
    return copies.map(({ id }) => {
      const why = named.get(id) ?? (this.#parts.claims.has(id) ? 'work is under way with it' : undefined);
      return why === undefined
        ? { id, action: 'delete', why: 'no backup, no environment and nothing in the trash names it' }
        : { id, action: 'keep', why };
    });
  }

  /** What each copy is kept for, in words. */
  #named(generations: Generations): ReadonlyMap<SnapshotId, string> {
    const { store } = this.#parts.ports;
    const named = new Map<SnapshotId, string>();
    for (const { id, name, desired } of store.environments.list()) {
      const { dataSource, dataGeneration, keepData } = desired;
      if (keepData) named.set(keepData, `it was the data of ${name}`);
      if (!dataSource || generations.get(id) === dataGeneration) continue;
      named.set(dataSource.from, `it becomes the data of ${name}`);
      named.set(dataSource.aside, `it was the data of ${name}`);
    }
    for (const { snapshot, environmentName } of store.trash.list({})) {
      if (snapshot !== undefined) named.set(snapshot, `the trash holds it: ${environmentName} was deleted`);
    }
    for (const { id, environmentName, reason } of store.backups.list({})) named.set(id, `a backup of ${environmentName}: ${reason}`);
    return named;
  }

  /** Which data environments hold. Asked before the copies and the records: what changes meanwhile only keeps more. */
  async #generations(): Promise<Generations> {
    const { store, volumes } = this.#parts.ports;
    const generations = new Map<EnvironmentId, number>();
    for (const { id } of store.environments.list()) {
      const generation = await volumes.generation(id);
      if (generation !== undefined) generations.set(id, generation);
    }
    return generations;
  }
}

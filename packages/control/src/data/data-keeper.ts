import type { DeploymentId, EnvironmentId, SnapshotId } from '@coppice/model';
import type { BackupRecord, EnvironmentRecord, TrashRecord } from '@coppice/state';
import { heldFolders, isDetached } from '../environment/kept-volumes.ts';
import { liveOf } from '../history/find.ts';
import type { Ports } from '../ports.ts';
import { defaultRetention } from './configured-retention.ts';
import type { SnapshotClaims } from './snapshot-claims.ts';
import { keepsData } from './touches-data.ts';

const dayMs = 86_400_000;

export interface DataKeeperParts {
  readonly ports: Ports;
  readonly claims: SnapshotClaims;
}

export interface NewBackup {
  readonly id: SnapshotId;
  readonly environment: EnvironmentRecord;
  readonly kind: BackupRecord['kind'];
  readonly reason: string;
  /** The deployment that it was taken before. */
  readonly before?: DeploymentId;
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
  record({ id, environment, kind, reason, before }: NewBackup): BackupRecord {
    const { ports, claims } = this.#parts;
    const { store } = ports;
    const live = store.environments.get(environment.id)?.live ?? environment.live;
    const record = store.backups.create({
      id,
      project: environment.project,
      environment: environment.id,
      environmentName: environment.name,
      kind,
      reason,
      deployment: live,
      before,
      spec: live && store.deployments.specOf(live),
    });
    claims.release(id);
    return record;
  }

  /** A desired state names the copy now, or nobody will. */
  named(id: SnapshotId): void {
    this.#parts.claims.release(id);
  }

  /** When what goes into the trash now is deleted for good. */
  purgeAt(): string {
    const { clock, settings } = this.#parts.ports;
    const { trashDays } = settings.retention ?? defaultRetention;
    return new Date(clock.now().getTime() + trashDays * dayMs).toISOString();
  }

  /** Brings the trash of an environment to what lies in its volumes: what no node uses is in it, what one uses again is not. */
  async settle(id: EnvironmentId): Promise<void> {
    const { store } = this.#parts.ports;
    const environment = store.environments.get(id);
    const spec = environment && liveOf(store, environment)?.spec;
    if (!spec) return;
    const used = new Set(spec.nodes.filter(keepsData).flatMap((node) => node.mounts.map((mount) => mount.node ?? node.name)));
    const folders = await heldFolders(this.#parts.ports, environment);
    const known = store.trash.list({ environment: id }).filter(({ folder }) => folder !== undefined);
    for (const record of known) {
      const folder = record.folder ?? '';
      if (!folders.has(folder) || used.has(folder as never)) store.trash.delete(record.id);
    }
    for (const [folder, owner] of folders) {
      if (used.has(folder as never) || known.some((record) => record.folder === folder)) continue;
      const node = folder.split('~')[0] ?? folder;
      const before = isDetached(folder) ? this.#lastTypeOf(environment, node) : owner?.trace.type;
      store.trash.create({
        ...{ project: environment.project, environment: id, environmentName: environment.name, branch: environment.branch },
        ...{ node, folder, type: before, snapshot: undefined, deployment: environment.live, commit: undefined, purgeAt: this.purgeAt() },
      });
    }
  }

  /** Deletes what lies in the trash for good; answers how much that was. What is used again meanwhile stays. */
  async empty(records: readonly TrashRecord[]): Promise<number> {
    const { store, volumes } = this.#parts.ports;
    let count = 0;
    for (const { id } of records) {
      const record = store.trash.get(id);
      if (!record) continue;
      const { environment, folder, snapshot } = record;
      if (snapshot !== undefined) await volumes.removeSnapshot(snapshot);
      if (folder !== undefined && !this.#isWanted(environment, folder)) await volumes.removeNode({ environment, node: folder });
      store.trash.delete(id);
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

  /** Every kept copy, and why it stays or goes. What is recorded meanwhile is not in the list. */
  async garbage(): Promise<readonly SnapshotGarbage[]> {
    const { ports, claims } = this.#parts;
    // Asked before the records.
    const copies = await ports.volumes.snapshots();
    const named = await this.#named();
    return copies.map(({ id }) => {
      const why = named.get(id) ?? (claims.has(id) ? 'work is under way with it' : undefined);
      return why === undefined
        ? { id, action: 'delete', why: 'no backup, no environment and nothing in the trash names it' }
        : { id, action: 'keep', why };
    });
  }

  /** Deletes kept copies that nothing names, and records of backups whose copy is gone. */
  async sweep(): Promise<void> {
    const { store, volumes, log } = this.#parts.ports;
    const copies = await this.garbage();
    for (const { id } of copies.filter(({ action }) => action === 'delete')) {
      log('data.swept', { snapshot: id });
      await volumes.removeSnapshot(id);
    }
    const there = new Set(copies.map(({ id }) => id));
    const busy = new Set((await this.#switching()).map(({ id }) => id));
    for (const backup of store.backups.list({})) {
      if (backup.kind === 'replaced' && !there.has(backup.id) && !busy.has(backup.environment)) store.backups.delete(backup.id);
    }
  }

  /** What each copy is kept for, in words. */
  async #named(): Promise<ReadonlyMap<SnapshotId, string>> {
    const { store } = this.#parts.ports;
    const named = new Map<SnapshotId, string>();
    for (const { name, desired } of await this.#switching()) {
      if (desired.dataSource) named.set(desired.dataSource.from, `it becomes the data of ${name}`);
      if (desired.dataSource) named.set(desired.dataSource.aside, `it was the data of ${name}`);
    }
    for (const { name, desired } of store.environments.list())
      if (desired.keepData) named.set(desired.keepData, `it was the data of ${name}`);
    for (const { snapshot, environmentName } of store.trash.list({})) {
      if (snapshot !== undefined) named.set(snapshot, `the trash holds it: ${environmentName} was deleted`);
    }
    for (const { id, environmentName, reason } of store.backups.list({})) named.set(id, `a backup of ${environmentName}: ${reason}`);
    return named;
  }

  /** Environments whose data is about to be replaced. */
  async #switching(): Promise<readonly EnvironmentRecord[]> {
    const { store, volumes } = this.#parts.ports;
    const pending = store.environments.list().filter(({ desired }) => desired.dataSource !== undefined);
    const generations = await Promise.all(pending.map(({ id }) => volumes.generation(id)));
    return pending.filter(({ desired }, index) => generations[index] !== desired.dataGeneration);
  }

  /** The type that the node had before its volumes were put aside. */
  #lastTypeOf({ id, live }: EnvironmentRecord, node: string): string | undefined {
    const { store } = this.#parts.ports;
    const now = live && store.deployments.get(live);
    const types = store.deployments
      .list(id)
      .filter(({ status }) => status === 'succeeded')
      .flatMap((deployment) => {
        const digest = deployment.id === now?.id ? undefined : store.deployments.specOf(deployment.id);
        return (digest && store.releases.getSpec(digest)?.nodes.find(({ name }) => name === node)?.trace.type) ?? [];
      });
    const current = liveOf(store, { id, live } as EnvironmentRecord)?.spec.nodes.find(({ name }) => name === node)?.trace.type;
    return types.find((type) => type !== current) ?? types[0];
  }
}

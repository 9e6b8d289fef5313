import type { EnvironmentId, SnapshotId } from '@coppice/model';
import type { Replacement, SimulatedSet, SnapshotRequest, VolumeRef } from '@coppice/volumes';
import type { DataLedger } from './data-ledger.ts';
import type { SimulatedServer } from './simulated-server.ts';

interface Acknowledged extends VolumeRef {
  readonly content: string;
  /** Changes of the environment's data that were made, as asked for, before it. */
  readonly changes: number;
}

/**
 * What instances wrote for somebody who was answered. The last such write of each line of data is in the environment's set, or in a copy of
 * it, unless somebody emptied the trash in which it was.
 */
export class AcknowledgedWrites {
  readonly #server: SimulatedServer;
  readonly #ledger: DataLedger;
  #latest: readonly Acknowledged[] = [];
  readonly #changes = new Map<EnvironmentId, number>();
  /** Environments for which somebody asked that their data be changed. */
  readonly #mayChange = new Set<EnvironmentId>();
  /** Environments that were deleted, by the copy of all of them. */
  readonly #deleted = new Map<SnapshotId, EnvironmentId>();
  /** An environment that came back from the trash under another id, by the one it was. */
  readonly #heirs = new Map<EnvironmentId, EnvironmentId>();

  constructor(server: SimulatedServer, ledger: DataLedger) {
    this.#server = server;
    this.#ledger = ledger;
  }

  /** Somebody was told that it was written. */
  add(volume: VolumeRef, content: string): void {
    const { environment } = volume;
    const before = new Set(this.#ledger.historyOf(content));
    this.#latest = [
      ...this.#latest.filter((each) => each.environment !== environment || !before.has(each.content)),
      { ...volume, content, changes: this.#changesOf(environment) },
    ];
  }

  /** Somebody asked for other data, or for names that data goes by, in an environment. */
  mayChange(environment: EnvironmentId): void {
    this.#mayChange.add(environment);
  }

  /** Its data became another, or goes by other names. */
  changed(environment: EnvironmentId): void {
    if (this.#mayChange.has(environment)) this.#changes.set(environment, this.#changesOf(environment) + 1);
  }

  putAside({ environment, id }: SnapshotRequest): void {
    this.#deleted.set(id, environment);
  }

  replaced({ environment, from }: Replacement): void {
    const deleted = this.#deleted.get(from);
    if (deleted !== undefined && deleted !== environment) this.#heirs.set(deleted, environment);
  }

  /** What lies in the trash may go from now on, and with a whole environment what it kept by itself. */
  trashMayGo(): void {
    const { store } = this.#server.ports;
    const whole = new Set(store.trash.list({}).flatMap(({ snapshot, environment }) => (snapshot === undefined ? [] : [environment])));
    const gone = store.trash.list({}).flatMap(({ snapshot, environment, folder }) => {
      const set = snapshot === undefined ? this.#server.volumes.sets().get(environment) : this.#server.volumes.kept().get(snapshot);
      const volumes = [...(set?.held.values() ?? [])].filter(({ node }) => folder === undefined || node === folder);
      return volumes.flatMap(({ text }) => [...this.#ledger.historyOf(text)].map((content) => ({ environment, content })));
    });
    this.#latest = this.#latest.filter(
      (each) =>
        !whole.has(each.environment) &&
        !gone.some(({ environment, content }) => environment === each.environment && content === each.content),
    );
  }

  /** The first that is nowhere. */
  lost(): string | undefined {
    const found = this.#latest.find((each) => !this.#setsOf(each.environment).some((set) => this.#holds(set, each.content)));
    return found && `${found.content}, written to ${found.volume} of ${found.node} in ${found.environment}, is nowhere`;
  }

  /** The first that its node does not find any more, although its data was not changed since as somebody asked. */
  misplaced(): string | undefined {
    const sets = this.#server.volumes.sets();
    const found = this.#latest.find(({ environment, node, volume, content, changes }) => {
      const isLive = this.#server.ports.store.environments.get(environment)?.desired.exists === true;
      if (!isLive || changes !== this.#changesOf(environment)) return false;
      const held = [...(sets.get(environment)?.held.values() ?? [])].find((each) => each.node === node && each.volume === volume);
      return held === undefined || !this.#ledger.holds(held.text, content);
    });
    return found && `${found.content}, written to ${found.volume} of ${found.node} in ${found.environment}, is not found there any more`;
  }

  #holds({ held }: SimulatedSet, content: string): boolean {
    return [...held.values()].some(({ text }) => this.#ledger.holds(text, content));
  }

  /** The set of an environment, or of what it became, and all copies of it. */
  #setsOf(environment: EnvironmentId): readonly SimulatedSet[] {
    const family = new Set([environment]);
    for (const each of family) {
      const heir = this.#heirs.get(each);
      if (heir !== undefined) family.add(heir);
    }
    const { volumes } = this.#server;
    const live = [...family].flatMap((each) => volumes.sets().get(each) ?? []);
    return [...live, ...[...volumes.kept().values()].filter((set) => family.has(set.environment))];
  }

  #changesOf(environment: EnvironmentId): number {
    return this.#changes.get(environment) ?? 0;
  }
}

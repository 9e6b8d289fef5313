import { readlink, rm } from 'node:fs/promises';
import { CoppiceError, type EnvironmentId, type SnapshotId } from '@coppice/model';
import { isProbe } from './choose-storage.ts';
import { isMissing } from './file-failure.ts';
import { KeyedLock } from './keyed-lock.ts';
import { moveNodeFolder, removeNodeFolder, sweepNodeFolders } from './node-folders.ts';
import { OwnedFolders, type SetsOptions } from './owned-folders.ts';
import { type OwnerMarker, replaceMarker } from './owner-marker.ts';
import { mustRun } from './run-program.ts';
import { checkGeneration, environmentOfFolder, nodeFolder, setFolderName, snapshotFolderName, snapshotOfFolder } from './volume-name.ts';
import type { KeptSnapshot, NodeMove, Replacement, SnapshotRequest } from './volumes.ts';

/**
 * A link of this name leads to where the set of an environment is put while it is replaced. Where it is there and the set is not, the
 * replacement was cut off between its two renames: the set is put back before anything else is done with the environment.
 */
const replacingPrefix = '.replacing-';

/** The sets and kept copies of one server below one directory. What changes one set is done one after another. */
export class VolumeSets {
  readonly #options: SetsOptions;
  readonly #folders: OwnedFolders;
  readonly #lock = new KeyedLock();

  constructor(options: SetsOptions) {
    this.#options = options;
    this.#folders = new OwnedFolders(options);
  }

  /** Where the data of a set lies, or would. */
  dataPath(environment: EnvironmentId): string {
    return this.#folders.dataOf(setFolderName(environment));
  }

  /** Where the data of a kept copy lies, or would. */
  snapshotPath(id: SnapshotId): string {
    return this.#folders.dataOf(snapshotFolderName(id));
  }

  /** The marker of the set, undefined where there is none. Throws `volume-failed` where it is another's. */
  async marker(environment: EnvironmentId): Promise<OwnerMarker | undefined> {
    const marker = await this.#folders.own(setFolderName(environment));
    if (marker === undefined || marker.environment === environment) return marker;
    throw new CoppiceError(
      'volume-failed',
      `${this.#folders.pathOf(environment)} holds the volumes of ${marker.environment}: it is left alone`,
    );
  }

  /** What `work` makes of the set's data, undefined where there is no set; again where it was replaced meanwhile. Throws as `marker` does. */
  async read<Result>(environment: EnvironmentId, work: (data: string) => Promise<Result>): Promise<Result | undefined> {
    const before = await this.marker(environment);
    if (before === undefined) return undefined;
    try {
      return await work(this.dataPath(environment));
    } catch (error) {
      if ((await this.marker(environment))?.generation !== before.generation) return this.read(environment, work);
      throw error;
    }
  }

  /** Environments whose sets are ours, sorted. */
  async list(): Promise<readonly EnvironmentId[]> {
    const ours: EnvironmentId[] = [];
    for (const name of await this.#folders.names()) {
      const environment = environmentOfFolder(name);
      if (environment !== undefined && (await this.#lookAtSet(environment)) === 'ours') ours.push(environment);
    }
    return ours;
  }

  /** Runs `work` once the set is there, made where it is missing, while nothing else changes it. */
  ensure<Result>(environment: EnvironmentId, work: () => Promise<Result>): Promise<Result> {
    return this.#changing(environment, async (set) => {
      if (set === undefined) await this.#make(environment);
      return work();
    });
  }

  /** See Volumes.moveNode. */
  async moveNode({ environment, from, to }: NodeMove): Promise<void> {
    for (const name of [from, to]) nodeFolder(name);
    await this.#changing(environment, async (set) => {
      if (set !== undefined) await moveNodeFolder(this.#options, this.dataPath(environment), { from, to });
    });
  }

  /** See Volumes.removeNode. */
  async removeNode({ environment, node }: { readonly environment: EnvironmentId; readonly node: string }): Promise<void> {
    nodeFolder(node);
    await this.#changing(environment, async (set) => {
      if (set !== undefined) await removeNodeFolder(this.#options, this.dataPath(environment), node);
    });
  }

  /** See Volumes.snapshot. */
  async snapshot({ environment, id }: SnapshotRequest): Promise<void> {
    const name = snapshotFolderName(id);
    if ((await this.#lookAtSet(environment)) === 'none') await this.#changing(environment, async () => undefined);
    await this.#lock.shared(environment, async () => {
      const set = await this.#mustHold(environment);
      await this.#mustBeFree(id);
      const fill = (to: string): Promise<void> => this.#options.storage.clone({ from: this.dataPath(environment), to });
      const draft = await this.#folders.draft({ environment, generation: set.generation }, fill);
      if (!(await this.#folders.settle(draft, name))) throw taken(id);
      await this.#folders.sync();
    });
  }

  /** Kept copies that are ours, sorted by id. */
  async snapshots(): Promise<readonly KeptSnapshot[]> {
    const ours: KeptSnapshot[] = [];
    for (const name of await this.#folders.names()) {
      const id = snapshotOfFolder(name);
      const marker = id === undefined ? undefined : await this.#folders.look(name);
      if (id !== undefined && marker !== undefined && marker !== 'other') ours.push({ id, environment: marker.environment });
    }
    return ours;
  }

  /** Whether the copy is kept. Throws `volume-failed` where it is another's. */
  async keeps(id: SnapshotId): Promise<boolean> {
    return (await this.#folders.own(snapshotFolderName(id))) !== undefined;
  }

  async removeSnapshot(id: SnapshotId): Promise<void> {
    await this.#lock.exclusive(id, async () => {
      if (await this.keeps(id)) await this.#folders.remove(snapshotFolderName(id));
    });
  }

  /** See Volumes.replace. */
  async replace(change: Replacement): Promise<void> {
    const { environment, generation, from, keep, aside } = change;
    for (const id of [from, aside]) snapshotFolderName(id);
    checkGeneration(generation);
    await this.#changing(environment, async (set) => {
      if (set?.generation === generation) return this.#folders.sync();
      if (keep) await this.#lock.shared(from, () => this.#replaceByCopy(change, set));
      else await this.#lock.exclusive(from, () => this.#replaceByItself(change, set));
      await this.#folders.sync();
      if (set !== undefined) await this.#forgetReplacing(environment);
    });
  }

  /** See Volumes.setAside. */
  async setAside({ environment, id }: SnapshotRequest): Promise<void> {
    const name = snapshotFolderName(id);
    await this.#changing(environment, async (set) => {
      if (set === undefined) return;
      await this.#mustBeFree(id);
      await this.#endReplacing(environment);
      await this.#folders.rename(setFolderName(environment), name);
      await this.#folders.sync();
    });
  }

  /** Writes all of the file system that holds the set to disk. Throws `not-found`. */
  async sync(environment: EnvironmentId): Promise<void> {
    await this.#mustHold(environment);
    await mustRun('sync', ['--file-system', '--', this.dataPath(environment)]);
  }

  async remove(environment: EnvironmentId): Promise<void> {
    await this.#changing(environment, async (set) => {
      if (set === undefined) return;
      await this.#endReplacing(environment);
      await this.#folders.remove(setFolderName(environment));
    });
  }

  /** Finishes what a server that was killed left half made, half deleted or half replaced. What is not ours stays. */
  async sweep(): Promise<void> {
    for (const name of await this.#folders.names()) {
      if (isProbe(name)) await rm(this.#folders.pathOf(name), { recursive: true, force: true });
      const environment = name.startsWith(replacingPrefix) ? environmentOfFolder(name.slice(replacingPrefix.length)) : undefined;
      if (environment === undefined) continue;
      await this.#putBack(environment);
      if ((await this.#lookAtSet(environment)) === 'ours') await this.#forgetReplacing(environment);
    }
    await this.#folders.sweep();
    for (const environment of await this.list()) await sweepNodeFolders(this.#options, this.dataPath(environment));
  }

  async #replaceByCopy(change: Replacement, set: OwnerMarker | undefined): Promise<void> {
    const { environment, generation, from } = change;
    await this.#mustBeReplaceable(change, set);
    const fill = (to: string): Promise<void> => this.#options.storage.clone({ from: this.snapshotPath(from), to });
    const draft = await this.#folders.draft({ environment, generation }, fill);
    if (set !== undefined) await this.#moveAside(change);
    if (await this.#folders.settle(draft, setFolderName(environment))) return;
    throw new CoppiceError('volume-failed', `${this.#folders.pathOf(environment)} is in the way`);
  }

  async #replaceByItself(change: Replacement, set: OwnerMarker | undefined): Promise<void> {
    const { environment, generation, from } = change;
    const name = snapshotFolderName(from);
    await this.#mustBeReplaceable(change, set);
    const { disk, serverId } = this.#options;
    await replaceMarker(disk, this.#folders.pathOf(name), { v: 1, server: serverId, environment, generation });
    if (set !== undefined) await this.#moveAside(change);
    await this.#folders.rename(name, setFolderName(environment));
  }

  async #mustBeReplaceable({ from, aside }: Replacement, set: OwnerMarker | undefined): Promise<void> {
    const found = await this.#folders.look(snapshotFolderName(from));
    if (found === undefined || found === 'other') {
      throw new CoppiceError('not-found', `there is no kept copy ${from} that is this server's`);
    }
    if (set !== undefined) await this.#mustBeFree(aside);
  }

  async #moveAside({ environment, aside }: Replacement): Promise<void> {
    const { disk } = this.#options;
    await this.#forgetReplacing(environment);
    await disk.link(this.#replacingPath(environment), snapshotFolderName(aside));
    await this.#folders.sync();
    await this.#folders.rename(setFolderName(environment), snapshotFolderName(aside));
  }

  /** Undoes a replacement that was cut off between its renames. */
  async #putBack(environment: EnvironmentId): Promise<void> {
    const name = setFolderName(environment);
    const aside = await readLink(this.#replacingPath(environment));
    if (aside === undefined || snapshotOfFolder(aside) === undefined || (await this.#folders.look(name)) !== undefined) return;
    const found = await this.#folders.look(aside);
    if (found === undefined || found === 'other' || found.environment !== environment) return;
    await this.#folders.rename(aside, name);
    await this.#folders.sync();
  }

  /** Before a set goes: what says where it was put during an earlier replacement must not bring that back. */
  async #endReplacing(environment: EnvironmentId): Promise<void> {
    if ((await readLink(this.#replacingPath(environment))) === undefined) return;
    await this.#forgetReplacing(environment);
    await this.#folders.sync();
  }

  #forgetReplacing(environment: EnvironmentId): Promise<void> {
    return this.#options.disk.unlink(this.#replacingPath(environment));
  }

  #replacingPath(environment: EnvironmentId): string {
    return this.#folders.pathOf(`${replacingPrefix}${setFolderName(environment)}`);
  }

  /** Runs `work` alone among all that changes the set, with the set's marker. */
  #changing<Result>(environment: EnvironmentId, work: (set: OwnerMarker | undefined) => Promise<Result>): Promise<Result> {
    return this.#lock.exclusive(setFolderName(environment), async () => {
      const set = await this.marker(environment);
      if (set !== undefined) return work(set);
      await this.#putBack(environment);
      return work(await this.marker(environment));
    });
  }

  async #make(environment: EnvironmentId): Promise<void> {
    const draft = await this.#folders.draft({ environment, generation: 0 }, (data) => this.#options.storage.create(data));
    // Where another was first: whose it is decides.
    if (!(await this.#folders.settle(draft, setFolderName(environment)))) await this.marker(environment);
    // What an application writes would be swept away with the draft if the power failed before the name is on disk.
    await this.#folders.sync();
  }

  async #mustHold(environment: EnvironmentId): Promise<OwnerMarker> {
    const found = await this.#folders.look(setFolderName(environment));
    if (found !== undefined && found !== 'other' && found.environment === environment) return found;
    throw new CoppiceError('not-found', `there are no volumes of ${environment} that are this server's`);
  }

  async #mustBeFree(id: SnapshotId): Promise<void> {
    if ((await this.#folders.look(snapshotFolderName(id))) !== undefined) throw taken(id);
  }

  async #lookAtSet(environment: EnvironmentId): Promise<'ours' | 'other' | 'none'> {
    const found = await this.#folders.look(setFolderName(environment));
    if (found === undefined) return 'none';
    return found !== 'other' && found.environment === environment ? 'ours' : 'other';
  }
}

function taken(id: SnapshotId): CoppiceError {
  return new CoppiceError('conflict', `there is a kept copy ${id} already`);
}

async function readLink(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

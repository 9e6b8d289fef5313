import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CoppiceError, type EnvironmentId } from '@coppice/model';
import { isProbe } from './choose-storage.ts';
import { isMissing, isOccupied } from './file-failure.ts';
import { readMarker, writeMarker } from './owner-marker.ts';
import { mustRun } from './run-program.ts';
import { syncFolder } from './sync-folder.ts';
import { environmentOfFolder, setFolderName } from './volume-name.ts';
import type { VolumeStorage } from './volume-storage.ts';

const makingPrefix = '.making-';
const deletingPrefix = '.deleting-';

/** Whose directory it is, and how data lies in it. */
export interface SetsOptions {
  readonly directory: string;
  readonly serverId: string;
  readonly storage: VolumeStorage;
}

/** The sets of one server below one directory: each appears, and goes, by one rename. */
export class VolumeSets {
  readonly #options: SetsOptions;
  /** Sets that are being made, so that ten nodes that start at once make one. */
  readonly #making = new Map<EnvironmentId, Promise<void>>();

  constructor(options: SetsOptions) {
    this.#options = options;
  }

  /** Where the data of a set lies, or would. */
  dataPath(environment: EnvironmentId): string {
    return join(this.#path(environment), 'data');
  }

  /** Whether the set is there and ours. Throws `volume-failed` where it is there and another's. */
  async holds(environment: EnvironmentId): Promise<boolean> {
    const owned = await this.#ownership(environment);
    if (owned === 'other') {
      throw new CoppiceError('volume-failed', `${this.#path(environment)} belongs to another server, or to nobody: it is left alone`, {
        hint: 'give each server a data directory of its own',
      });
    }
    return owned === 'ours';
  }

  /** Environments whose sets are ours, sorted. */
  async list(): Promise<readonly EnvironmentId[]> {
    const ours: EnvironmentId[] = [];
    for (const name of (await readdir(this.#options.directory)).sort()) {
      const environment = environmentOfFolder(name);
      if (environment !== undefined && (await this.#ownership(environment)) === 'ours') ours.push(environment);
    }
    return ours;
  }

  /** Makes the set where it is missing. */
  async ensure(environment: EnvironmentId): Promise<void> {
    const running = this.#making.get(environment);
    if (running !== undefined) return running;
    const making = this.#make(environment).finally(() => this.#making.delete(environment));
    this.#making.set(environment, making);
    return making;
  }

  /** Makes the set of `to` a copy of that of `from`. Throws `not-found` and `conflict`, see Volumes.clone. */
  async clone({ from, to }: { readonly from: EnvironmentId; readonly to: EnvironmentId }): Promise<void> {
    await this.#mustHold(from);
    const taken = new CoppiceError('conflict', `there are volumes of ${to} already`);
    if ((await this.#ownership(to)) !== 'none') throw taken;
    const { directory, storage } = this.#options;
    if (!(await this.#appear(to, (data) => storage.clone({ from: this.dataPath(from), to: data })))) throw taken;
    await syncFolder(directory);
  }

  /** Writes all of the file system that holds the set to disk. Throws `not-found`. */
  async sync(environment: EnvironmentId): Promise<void> {
    await this.#mustHold(environment);
    await mustRun('sync', ['--file-system', '--', this.dataPath(environment)]);
  }

  /** Sets it aside by a rename, then deletes it. */
  async remove(environment: EnvironmentId): Promise<void> {
    if (!(await this.holds(environment))) return;
    const aside = join(this.#options.directory, `${deletingPrefix}${environment}-${randomUUID()}`);
    await rename(this.#path(environment), aside);
    await this.#discard(aside);
  }

  /** Finishes what a server that was killed left half made or half deleted. What is not ours stays. */
  async sweep(): Promise<void> {
    const { directory, serverId } = this.#options;
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      if (isProbe(name)) await rm(path, { recursive: true, force: true });
      if (!name.startsWith(makingPrefix) && !name.startsWith(deletingPrefix)) continue;
      const marker = await readMarker(path);
      if (marker?.server === serverId) await this.#discard(path);
      else if (marker === undefined) await removeIfEmpty(path);
    }
  }

  async #mustHold(environment: EnvironmentId): Promise<void> {
    if ((await this.#ownership(environment)) === 'ours') return;
    throw new CoppiceError('not-found', `there are no volumes of ${environment} that are this server's`);
  }

  #path(environment: EnvironmentId): string {
    return join(this.#options.directory, setFolderName(environment));
  }

  async #make(environment: EnvironmentId): Promise<void> {
    if (await this.holds(environment)) return;
    // Where another was first: whose it is decides.
    if (!(await this.#appear(environment, (data) => this.#options.storage.create(data)))) await this.holds(environment);
  }

  /** Fills a draft, then makes the set of it by one rename; false, and nothing done, where another was there first. */
  async #appear(environment: EnvironmentId, fill: (data: string) => Promise<void>): Promise<boolean> {
    const { directory, serverId } = this.#options;
    const draft = join(directory, `${makingPrefix}${environment}-${randomUUID()}`);
    await mkdir(draft, { mode: 0o700 });
    try {
      await writeMarker(draft, { v: 1, server: serverId, environment });
      await fill(join(draft, 'data'));
    } catch (error) {
      await this.#discard(draft);
      throw error;
    }
    try {
      await rename(draft, this.#path(environment));
      return true;
    } catch (error) {
      await this.#discard(draft);
      if (isOccupied(error)) return false;
      throw error;
    }
  }

  /** The marker goes last, so that what is left of a deletion can be told to be ours. */
  async #discard(folder: string): Promise<void> {
    await this.#options.storage.delete(join(folder, 'data'));
    await rm(folder, { recursive: true, force: true });
  }

  async #ownership(environment: EnvironmentId): Promise<'ours' | 'other' | 'none'> {
    const path = this.#path(environment);
    const marker = await readMarker(path);
    if (marker !== undefined) return marker.server === this.#options.serverId && marker.environment === environment ? 'ours' : 'other';
    return (await isThere(path)) ? 'other' : 'none';
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await readdir(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function removeIfEmpty(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (!isOccupied(error)) throw error;
  }
}

import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CoppiceError } from '@coppice/model';
import type { Disk } from './disk.ts';
import { isMissing, isOccupied } from './file-failure.ts';
import { markerName, type OwnerMarker, readMarker, writeMarker } from './owner-marker.ts';
import type { VolumeStorage } from './volume-storage.ts';

const makingPrefix = '.making-';
const deletingPrefix = '.deleting-';

/** Whose directory it is, and how data lies in it. */
export interface SetsOptions {
  readonly directory: string;
  readonly serverId: string;
  readonly storage: VolumeStorage;
  readonly disk: Disk;
}

/** The folders of one server in one directory, each with data and a marker beside it. Each appears, and goes, by one rename. */
export class OwnedFolders {
  readonly #options: SetsOptions;

  constructor(options: SetsOptions) {
    this.#options = options;
  }

  pathOf(name: string): string {
    return join(this.#options.directory, name);
  }

  dataOf(name: string): string {
    return join(this.pathOf(name), 'data');
  }

  /** The marker of a folder that is ours; `other` for another server's or nobody's, undefined where there is none. */
  async look(name: string): Promise<OwnerMarker | 'other' | undefined> {
    const path = this.pathOf(name);
    // One that is replaced meanwhile may be gone at the first look and there at the second.
    const marker = (await readMarker(path)) ?? ((await isThere(path)) ? ((await readMarker(path)) ?? 'other') : undefined);
    return marker === undefined || marker === 'other' || marker.server === this.#options.serverId ? marker : 'other';
  }

  /** The same, where another's is an error: throws `volume-failed`. */
  async own(name: string): Promise<OwnerMarker | undefined> {
    const found = await this.look(name);
    if (found !== 'other') return found;
    throw new CoppiceError('volume-failed', `${this.pathOf(name)} belongs to another server, or to nobody: it is left alone`, {
      hint: 'give each server a data directory of its own',
    });
  }

  /** Makes a folder with a marker and filled data under a name that is nobody's; nothing is left of one that fails. */
  async draft(marker: Omit<OwnerMarker, 'v' | 'server'>, fill: (data: string) => Promise<void>): Promise<string> {
    const { serverId, disk } = this.#options;
    const name = `${makingPrefix}${marker.environment}-${randomUUID()}`;
    await disk.makeFolder(this.pathOf(name));
    try {
      await writeMarker(disk, this.pathOf(name), { v: 1, server: serverId, ...marker });
      await fill(this.dataOf(name));
    } catch (error) {
      await this.discard(name);
      throw error;
    }
    return name;
  }

  /** Gives a draft its name; false, and the draft is gone, where the name is taken. */
  async settle(draft: string, name: string): Promise<boolean> {
    try {
      await this.rename(draft, name);
    } catch (error) {
      await this.discard(draft);
      if (isOccupied(error)) return false;
      throw error;
    }
    return true;
  }

  /** On disk once `sync` resolved. */
  async rename(from: string, to: string): Promise<void> {
    await this.#options.disk.rename(this.pathOf(from), this.pathOf(to));
  }

  async sync(): Promise<void> {
    await this.#options.disk.syncFolder(this.#options.directory);
  }

  /** Takes a folder away by a rename, then deletes it. */
  async remove(name: string): Promise<void> {
    const aside = `${deletingPrefix}${name.replace(/^\.+/, '')}-${randomUUID()}`;
    await this.rename(name, aside);
    await this.sync();
    await this.discard(aside);
  }

  /** The marker goes last, so that what is left of a deletion can be told to be ours. */
  async discard(name: string): Promise<void> {
    await this.#options.storage.delete(this.dataOf(name));
    await this.#options.disk.remove(this.pathOf(name));
  }

  /** Finishes what a server that was killed left half made or half deleted. What is not ours stays. */
  async sweep(): Promise<void> {
    for (const name of await this.names()) {
      if (!name.startsWith(makingPrefix) && !name.startsWith(deletingPrefix)) continue;
      // The data comes after the marker and goes before it: what has none may have half a marker, and nothing is lost with it.
      if (await this.#isWithoutData(name)) await this.#options.disk.remove(this.pathOf(name));
      else if ((await readMarker(this.pathOf(name)))?.server === this.#options.serverId) await this.discard(name);
    }
  }

  async #isWithoutData(name: string): Promise<boolean> {
    return (await readdir(this.pathOf(name))).every((entry) => entry.startsWith(markerName));
  }

  /** All that lies in the directory, sorted. */
  async names(): Promise<readonly string[]> {
    return (await readdir(this.#options.directory)).sort();
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

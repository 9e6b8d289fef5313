import { renameSync, rmdirSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isErrno, temporaryPath } from '../store/durable-file.ts';
import type { KeptCache } from './build-disk.ts';
import { diskUsage, unlessGone } from './disk-usage.ts';

/** The package caches of a folder, as `PROJECT/TYPE` and an ending. What is to be deleted is found by its name, never by a path made of it. */
export class CacheFolder {
  private readonly directory: string;
  private readonly ending: string;
  /** By name, those that builds hold at the moment. */
  private readonly held: ReadonlyMap<string, unknown>;

  constructor(options: { readonly directory: string; readonly ending: string; readonly held: ReadonlyMap<string, unknown> }) {
    this.directory = options.directory;
    this.ending = options.ending;
    this.held = options.held;
  }

  /** Where the cache lies or would lie. */
  path(name: string): string {
    return join(this.directory, `${name}${this.ending}`);
  }

  /** All there are, sorted by name. */
  async list(): Promise<readonly KeptCache[]> {
    const found: KeptCache[] = [];
    for (const name of await this.names()) {
      found.push({ name, bytes: await diskUsage(this.path(name)), isHeld: this.held.has(name) });
    }
    return found;
  }

  /** Deletes the cache unless it is held, by way of the folder `aside`; with the last of a project its folder goes. */
  async remove(name: string, aside: string): Promise<boolean> {
    await mkdir(aside, { recursive: true, mode: 0o700 });
    const away = temporaryPath(aside);
    const isThere = (await this.names()).includes(name);
    // from here to the end of the renaming in one turn: a build begins to hold the cache before it or after it
    if (this.held.has(name)) return false;
    if (!isThere) return true;
    rename(this.path(name), away);
    const project = dirname(name);
    if (![...this.held.keys()].some((other) => dirname(other) === project)) removeIfEmpty(join(this.directory, project));
    await rm(away, { recursive: true, force: true });
    return true;
  }

  private async names(): Promise<readonly string[]> {
    const projects = (await unlessGone(readdir(this.directory))) ?? [];
    const files = await Promise.all(
      projects.map(async (project) => {
        const names = (await unlessGone(readdir(join(this.directory, project)))) ?? [];
        return names
          .filter((file) => file.endsWith(this.ending))
          .map((file) => `${project}/${file.slice(0, file.length - this.ending.length)}`);
      }),
    );
    return files.flat().sort();
  }
}

function rename(path: string, away: string): void {
  try {
    renameSync(path, away);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!isErrno(error, 'ENOTEMPTY') && !isErrno(error, 'ENOENT')) throw error;
  }
}

import { join } from 'node:path';
import type { EnvironmentId } from '@coppice/model';
import { forgetTrees, joinTree, limitTree, readSubvolumeUsed, readTreeUsage, type SubvolumeTree } from './btrfs-quotas.ts';
import { mustRun } from './run-program.ts';
import { readUsage } from './usage.ts';

/** What was found when all files of a set were last looked at. */
export interface Measured {
  /** Written by the set, as far as any set or copy still holds it. */
  readonly writtenBytes: number;
  readonly atMs: number;
  readonly tookMs: number;
}

/** One set whose limit is looked after. */
export interface LimitSituation {
  /** What the set may show. */
  readonly wantedBytes: number;
  readonly writtenBytes: number;
  /** What the kernel lets it write. */
  readonly limitBytes: number;
  /** Undefined before the first time. */
  readonly measured: Measured | undefined;
  readonly nowMs: number;
}

const mebibyte = 1024 * 1024;
const busyMs = 5_000;
const idleMs = 60_000;
/** Looking may take this share of the time at most. */
const lookShare = 1 / 10;

/**
 * Whether all files of a set have to be looked at to tell its limit: simple quotas count what it wrote for as long as any copy holds it. So
 * one that rewrites its data while copies are kept nears its limit though it shows no more than before; and one whose copies are deleted
 * gets far from it.
 */
export function isWorthMeasuring({ wantedBytes, writtenBytes, limitBytes, measured, nowMs }: LimitSituation): boolean {
  if (measured === undefined) return true;
  const sinceMs = nowMs - measured.atMs;
  if (sinceMs * lookShare < measured.tookMs) return false;
  const written = writtenBytes - measured.writtenBytes;
  if (-written >= Math.max(64 * mebibyte, wantedBytes / 20)) return true;
  const leftBytes = limitBytes - writtenBytes;
  if (leftBytes >= wantedBytes / 2) return false;
  if (written >= Math.max(4 * mebibyte, wantedBytes / 50)) return true;
  // What is deleted while a copy holds it changes the figures by little, or by nothing.
  return sinceMs >= (written === 0 ? idleMs : busyMs) && (written !== 0 || leftBytes < wantedBytes / 10);
}

/** What a set may have written, so that it shows no more than it may. */
export function limitOf({ wantedBytes, writtenBytes, shownBytes }: ShownSet): number {
  return writtenBytes + Math.max(0, wantedBytes - shownBytes);
}

export interface ShownSet {
  readonly wantedBytes: number;
  readonly writtenBytes: number;
  readonly shownBytes: number;
}

interface Watched {
  readonly tree: SubvolumeTree;
  readonly wantedBytes: number;
  readonly limitBytes: number;
  readonly measured: Measured | undefined;
}

/** Limits of sets on a btrfs with simple quotas, in terms of what the sets show; shared data counts once in each. */
export class SimpleLimits {
  readonly #qgroups: string;
  readonly #watched = new Map<EnvironmentId, Watched>();

  /** `folder`: where the kernel tells of the file system. */
  constructor(folder: string) {
    this.#qgroups = join(folder, 'qgroups');
  }

  /**
   * Limits the set at `path` from now on; exactly so from the next `adjust` on, since looking at all its files takes time by their number.
   * Throws `volume-failed`.
   */
  async set(environment: EnvironmentId, path: string, limitBytes: number | 'none'): Promise<void> {
    this.#watched.delete(environment);
    const tree = await this.#treeAt(path);
    if (limitBytes === 'none') return limitTree(tree, 'none');
    await forgetTrees(this.#qgroups, path);
    const atFirst = Math.max(readSubvolumeUsed(tree) ?? 0, readTreeUsage(tree) ?? 0) + limitBytes;
    await limitTree(tree, atFirst);
    await joinTree(tree);
    this.#watched.set(environment, { tree, wantedBytes: limitBytes, limitBytes: atFirst, measured: undefined });
  }

  /** Looks at all that is limited; in most cases at one file of the kernel for each. Throws `volume-failed`. */
  async adjust(): Promise<void> {
    for (const [environment, watched] of this.#watched) {
      const writtenBytes = this.#writtenBy(watched.tree);
      if (writtenBytes === undefined) this.#forget(environment, watched);
      else if (isWorthMeasuring({ ...watched, writtenBytes, nowMs: performance.now() })) await this.#measure(environment, watched);
    }
  }

  async #measure(environment: EnvironmentId, watched: Watched): Promise<void> {
    const { tree, wantedBytes } = watched;
    const startedMs = performance.now();
    const shownBytes = await readUsage(tree.path);
    const writtenBytes = this.#writtenBy(tree);
    // Another set lies there once it was replaced: whoever did it tells its limit.
    if (writtenBytes === undefined || (await subvolumeAt(tree.path)) !== tree.subvolume) return this.#forget(environment, watched);
    if (this.#watched.get(environment) !== watched) return;
    const limitBytes = limitOf({ wantedBytes, writtenBytes, shownBytes });
    await limitTree(tree, limitBytes);
    const atMs = performance.now();
    this.#watched.set(environment, { ...watched, limitBytes, measured: { writtenBytes, atMs, tookMs: atMs - startedMs } });
  }

  #forget(environment: EnvironmentId, watched: Watched): void {
    if (this.#watched.get(environment) === watched) this.#watched.delete(environment);
  }

  /** Undefined where the subvolume is gone. */
  #writtenBy(tree: SubvolumeTree): number | undefined {
    return readSubvolumeUsed(tree) === undefined ? undefined : readTreeUsage(tree);
  }

  async #treeAt(path: string): Promise<SubvolumeTree> {
    return { path, subvolume: await subvolumeAt(path), qgroups: this.#qgroups };
  }
}

async function subvolumeAt(path: string): Promise<string> {
  return (await mustRun('btrfs', ['inspect-internal', 'rootid', path])).trim();
}

import { readdirSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { directoryMark } from './git-environment.ts';
import type { Log } from './git-host.ts';

const orphanGraceMs = 3000;

/**
 * Removes from one bare repository what processes that were killed left: `*.lock` beside refs and configuration, quarantines and
 * half-written objects. Links are never followed. Only while no process of git works in it.
 */
export async function sweepRepository(path: string, log: Log): Promise<void> {
  const leftovers = [
    ...(await findBelow(path, 0, (name) => name.endsWith('.lock'))),
    ...(await findBelow(join(path, 'refs'), 64, (name) => name.endsWith('.lock'))),
    ...(await findBelow(join(path, 'objects'), 1, (name) => /^tmp_(?:obj|pack|idx|rev)/.test(name) || name.endsWith('.lock'))),
  ];
  for (const leftover of leftovers) {
    await rm(leftover, { recursive: true, force: true });
    log('git-leftover-removed', { path: leftover });
  }
}

/**
 * Removes the quarantines of pushes that were killed, when no push lives in the repository. They are listed at once, before another
 * push can begin; a new one never takes an old one's name.
 */
export async function removeQuarantines(path: string): Promise<void> {
  const objects = join(path, 'objects');
  const dead = readdirSync(objects).filter((name) => name.startsWith('tmp_objdir-'));
  for (const name of dead) await rm(join(objects, name), { recursive: true, force: true });
}

async function findBelow(folder: string, depth: number, wanted: (name: string) => boolean): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readFolder(folder)) {
    const path = join(folder, entry.name);
    if (wanted(entry.name)) found.push(path);
    else if (entry.isDirectory() && depth > 0) found.push(...(await findBelow(path, depth - 1, wanted)));
  }
  return found;
}

async function readFolder(folder: string): Promise<readonly { readonly name: string; isDirectory(): boolean }[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** Waits until the git processes that a killed server left for `directory` have noticed, then ends the rest. */
export async function endOrphans(directory: string, log: Log): Promise<void> {
  const deadline = performance.now() + orphanGraceMs;
  for (;;) {
    const orphans = await marked(directory);
    if (orphans.length === 0) return;
    if (performance.now() > deadline) {
      for (const pid of orphans) {
        log('git-orphan-killed', { pid });
        endProcess(pid);
      }
    }
    await delay(20);
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** Processes whose environment carries our mark; where there is no /proc, none are found. */
async function marked(directory: string): Promise<readonly number[]> {
  const mark = `${directoryMark}=${directory}\0`;
  const pids = (await readFolder('/proc')).map((entry) => Number(entry.name)).filter((pid) => Number.isInteger(pid) && pid !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      try {
        return (await readFile(`/proc/${pid}/environ`, 'latin1')).includes(mark) ? [pid] : [];
      } catch (error) {
        if (isGone(error)) return [];
        throw error;
      }
    }),
  );
  return found.flat();
}

/** Gone meanwhile, or not ours to look at. */
function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'ENOTDIR'].includes(`${error.code}`);
}

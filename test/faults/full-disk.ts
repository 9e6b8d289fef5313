import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ActivityView } from '@coppice/control';
import { mustRun, runProgram } from '../e2e/harness.ts';
import { cloneKind, syncKind } from './copy-kinds.ts';
import type { CrashChange, Outcome } from './crash-kind.ts';
import { whole } from './crash-points.ts';
import { Diary } from './diary.ts';
import type { FaultOptions } from './fault-groups.ts';
import type { FaultRow } from './fault-row.ts';
import { FaultServer } from './fault-server.ts';
import { backupKind, restoreKind } from './kept-kinds.ts';
import { mountDisk } from './resource-kinds.ts';
import { SteadyLoad } from './steady-load.ts';

/** What has no room: the host's disk, the file system of the volumes, or that to its last block of metadata. */
type Full = 'host' | 'volumes' | 'volumes and their metadata';

const changes: Readonly<Record<string, (faulty: FaultServer, diary: Diary) => CrashChange>> = {
  'new branch with a copy': cloneKind,
  backup: backupKind,
  restore: restoreKind.bind(undefined, 'side'),
  sync: syncKind,
  'backup by a server that starts then': (faulty, diary) => {
    const kind = backupKind(faulty, diary);
    const act = async (): Promise<Outcome> => {
      await faulty.server.kill();
      await faulty.launch();
      return await kind.act();
    };
    return { ...kind, act };
  },
};

/** Less than this the image of the volumes leaves to the host: it does not grow any more. */
const hostLeftBytes = 300 * 1024 ** 2;

const smallFilesBytes = 16 * 1024 ** 2;

export interface FullDiskOptions extends Pick<FaultOptions, 'print'> {
  readonly slack?: number;
  /** Every so many of the combinations are tried. */
  readonly every: number;
}

/** Changes of data that come when there is no room for them. */
export async function fullDiskRows({ print, slack, every }: FullDiskOptions): Promise<readonly FaultRow[]> {
  const faulty = await FaultServer.start({ prepare: mountDisk, slack });
  const rows: FaultRow[] = [];
  try {
    const diary = await Diary.open(faulty.server, 'full');
    const tried = (['volumes', 'volumes and their metadata', 'host'] as const).flatMap((full) =>
      Object.entries(changes).map(([name, change]) => ({ full, name: `${name}, ${full} full`, change })),
    );
    for (const { full, name, change } of tried.filter((_, index) => index % every === 0)) {
      const kind = change(faulty, diary);
      rows.push({ ...(await withoutRoom(faulty, diary, { full, kind, print })), name });
    }
    return rows;
  } finally {
    await faulty.stop();
  }
}

interface Trial extends Pick<FaultOptions, 'print'> {
  readonly full: Full;
  readonly kind: CrashChange;
}

/** It is refused with words that say so, or accepted and right; nothing is lost, and once there is room it is accepted. */
async function withoutRoom(faulty: FaultServer, diary: Diary, { full, kind, print }: Trial): Promise<Omit<FaultRow, 'name'>> {
  const lost: string[] = [];
  // What reads goes on; what writes is told that it cannot.
  const load = new SteadyLoad({ address: faulty.server.routerAddress, host: kind.serves, perSecond: 20, path: '/entries' });
  load.start();
  let ms = Number.NaN;
  try {
    await kind.prepare();
    await whole(faulty);
    const { outcome, words } = await whileFull(faulty, full, async () => await tried(faulty, diary, kind));
    print(`${full} full: ${outcome} ${words.slice(-300)}`);
    const rightMs = performance.now();
    if (outcome !== 'accepted' && !/no space|disk|full|ENOSPC|EDQUOT/i.test(words)) lost.push(`the client was told: ${words}`);
    if (!faulty.isAlive) {
      lost.push('the server died');
      await faulty.launch();
    }
    await whole(faulty);
    ms = performance.now() - rightMs;
    const mixed = outcome === 'accepted' ? await kind.wrong() : await kind.neither?.();
    const again = await kind.repeat();
    await whole(faulty);
    const wrong = again === 'accepted' ? await kind.wrong() : `with room again it was ${again}`;
    lost.push(...[mixed, wrong].filter((line) => line !== undefined));
  } catch (error) {
    lost.push(String(error));
  }
  const report = await load.stop();
  return { group: 'resources', tried: 1, requests: report.sent, lost: [...lost, ...report.lost], longestMs: ms };
}

interface Told {
  readonly outcome: Outcome;
  readonly words: string;
}

async function tried(faulty: FaultServer, diary: Diary, kind: CrashChange): Promise<Told> {
  try {
    const outcome = await kind.act();
    if (outcome === 'accepted') return { outcome, words: '' };
    return { outcome, words: `${diary.said}\n${await lastFailure(faulty, diary)}` };
  } catch (error) {
    return { outcome: 'refused', words: String(error) };
  }
}

/** The log of the project's last activity that failed. */
async function lastFailure({ server }: FaultServer, { name }: Diary): Promise<string> {
  const answer = await server.api(`/v1/activities?project=${name}`);
  const { items } = (await answer.json()) as { readonly items: readonly ActivityView[] };
  const failed = items.find(({ state }) => state === 'failed');
  return failed ? await (await server.api(`/v1/activities/${failed.id}/log`)).text() : '';
}

async function whileFull<Result>({ server }: FaultServer, full: Full, work: () => Promise<Result>): Promise<Result> {
  const disk = join(server.folder, 'disk');
  const volumes = join(server.data, 'volumes');
  const fillers = [join(disk, 'filler'), join(volumes, 'filler')] as const;
  try {
    for (const filler of fillers) mkdirSync(filler);
    await fill(fillers[0], full === 'host' ? 0 : hostLeftBytes);
    if (full === 'volumes and their metadata') {
      // Each small file needs room for data before it is written to the metadata.
      await fill(fillers[1], smallFilesBytes);
      fillMetadata(fillers[1]);
    }
    if (full !== 'host') await fill(fillers[1], 0);
    return await work();
  } finally {
    for (const filler of fillers) rmSync(filler, { force: true, recursive: true });
    // What was freed is free once the file system wrote that down.
    await mustRun('sync', ['--file-system', volumes]);
  }
}

/** Reserves what a file system has, but so much. What it says is free may be more than it has for one file. */
async function fill(folder: string, leaveBytes: number): Promise<void> {
  const { bavail, bsize } = statfsSync(folder);
  for (let [bytes, count] = [bavail * bsize - leaveBytes, 0]; bytes >= 65_536; count += 1) {
    const file = join(folder, `block-${count}`);
    const { code } = await runProgram('fallocate', ['--length', String(bytes), file]);
    const left = statfsSync(folder).bavail * bsize - leaveBytes;
    bytes = Math.min(left, code === 0 ? left : Math.floor(bytes / 2));
  }
}

/** Files so small that they lie in the metadata, until there is room for none. */
function fillMetadata(folder: string): void {
  const text = 'x'.repeat(1_500);
  try {
    for (let index = 0; ; index += 1) writeFileSync(join(folder, `small-${index}`), text, { flush: index % 1_000 === 0 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  }
}

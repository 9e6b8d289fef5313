import { mkdirSync, rmSync, statfsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { mustRun, type PushResult, until } from '../e2e/harness.ts';
import { whole } from './crash-points.ts';
import type { FaultRow } from './fault-row.ts';
import type { FaultServer } from './fault-server.ts';
import type { Shop } from './shop.ts';
import { SteadyLoad } from './steady-load.ts';

/** Something that the machine lacks or does while a push comes. */
export interface ResourceKind {
  readonly name: string;
  /** Makes it so, pushes, and makes it right again; answers what the client saw. */
  readonly push: () => Promise<PushResult>;
  /** What the client must have seen: the words of a refusal, or that it was accepted. */
  readonly expected: RegExp | 'accepted';
}

const hourMs = 3_600_000;

/** A data directory of its own size: `full` fills it. */
export const diskBytes = 3 * 1024 ** 3;

/** Mounts a disk of `diskBytes` for the data directory, before the server starts. */
export async function mountDisk(folder: string): Promise<void> {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  await mustRun('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes},mode=755`, 'tmpfs', disk]);
  mkdirSync(join(disk, 'data'));
  symlinkSync(join(disk, 'data'), join(folder, 'data'));
}

export function resourceKinds(faulty: FaultServer, shop: Shop): readonly ResourceKind[] {
  const { server } = faulty;
  const pushNew = async (): Promise<PushResult> => {
    await shop.commit({ answer: `with trouble ${shop.next()}` });
    return await shop.clone.push('main');
  };
  const lockedFor = (ms: number) => async (): Promise<PushResult> => {
    await shop.commit({ answer: `with trouble ${shop.next()}` });
    faulty.takeEffects();
    const push = shop.clone.push('main');
    await until(() => faulty.takeEffects().length > 0, { what: 'the push began', everyMs: 5 });
    const database = new DatabaseSync(join(server.data, 'state.db'), { timeout: 5_000 });
    database.exec('BEGIN IMMEDIATE');
    await pause(ms);
    database.exec('ROLLBACK');
    database.close();
    return await push;
  };
  const atClock = (shiftMs: number) => async (): Promise<PushResult> => {
    faulty.shiftClock(shiftMs);
    const push = await pushNew();
    faulty.shiftClock(0);
    return push;
  };
  return [
    { name: 'state locked by another process for 3 s', push: lockedFor(3_000), expected: 'accepted' },
    { name: 'state locked by another process for 8 s', push: lockedFor(8_000), expected: /state|database|SQLite/i },
    { name: 'clock two hours ahead', push: atClock(2 * hourMs), expected: 'accepted' },
    { name: 'clock a day behind', push: atClock(-24 * hourMs), expected: 'accepted' },
    {
      name: 'disk of the data directory full',
      push: async () => await onFullDisk(server.folder, pushNew),
      expected: /space|full|ENOSPC/i,
    },
    {
      name: 'server killed and started on a full disk',
      push: async () =>
        await onFullDisk(server.folder, async () => {
          await server.kill();
          await faulty.launch();
          return await pushNew();
        }),
      expected: /space|full|ENOSPC/i,
    },
  ];
}

/** Fills the disk that `mountDisk` mounted, to its last block, while `work` is done. */
async function onFullDisk<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  const disk = join(folder, 'disk');
  const filler = join(disk, 'filler');
  const { bavail, bsize } = statfsSync(disk);
  await mustRun('fallocate', ['--length', String(bavail * bsize), filler]);
  try {
    return await work();
  } finally {
    rmSync(filler);
  }
}

/** Pushes with the trouble, checks what the client saw, and that afterwards the same push is accepted and nothing is lost. */
export async function trouble(faulty: FaultServer, shop: Shop, kind: ResourceKind): Promise<FaultRow> {
  const lost: string[] = [];
  const load = new SteadyLoad({ address: faulty.server.routerAddress, host: shop.host(), perSecond: 20 });
  load.start();
  let ms = Number.NaN;
  try {
    const { code, output } = await kind.push();
    const isExpected = kind.expected === 'accepted' ? code === 0 : code !== 0 && kind.expected.test(output);
    if (!isExpected) lost.push(`the client was told (${code}): ${output}`);
    const rightMs = performance.now();
    if (!faulty.isAlive) {
      lost.push('the server died');
      await faulty.launch();
    }
    await whole(faulty);
    ms = performance.now() - rightMs;
    const again = await shop.clone.push('main');
    if (again.code !== 0) lost.push(`the same push again: ${again.output}`);
    await whole(faulty);
    const wrong = await shop.wrong();
    if (wrong !== undefined) lost.push(wrong);
  } catch (error) {
    lost.push(String(error));
  }
  const report = await load.stop();
  return { group: 'resources', name: kind.name, tried: 1, requests: report.sent, lost: [...lost, ...report.lost], longestMs: ms };
}

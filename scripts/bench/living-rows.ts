import type { TestServer } from '../../test/e2e/harness.ts';
import { type BenchRow, judged, median } from './bench-row.ts';
import { exclusiveBytes } from './btrfs-use.ts';
import { busyParentRows } from './busy-parent-rows.ts';
import { LivingEnvironment } from './living-environment.ts';

const sizes = [100, 1_000];
const largeSizes = [...sizes, 10_000];
const runs = 5;
const atOnce = 20;
const limitMs = 4_000;
const mebibyte = 1024 ** 2;

/** Branches as copies of their parent, by the driver that the server takes: Node, PostgreSQL and Redis, with data of several sizes. */
export async function livingRows(server: TestServer, { large }: { readonly large: boolean }): Promise<readonly BenchRow[]> {
  const parents: LivingEnvironment[] = [];
  for (const megabytes of large ? largeSizes : sizes) parents.push(await LivingEnvironment.open(server, megabytes));
  const [small, one] = parents;
  if (!small || !one) throw new Error('there are no sizes');
  const clones = await cloneTimes(parents);
  const smallMs = median(clones.get(small) ?? []);
  return [
    ...cloneRows(clones, await emptyMs(small)),
    ...(await diskRows(one)),
    ...(await revertRows(one, median(clones.get(one) ?? []))),
    ...(await busyParentRows(server, one)),
    ...(await atOnceRows(small, smallMs)),
  ];
}

/** In turn, so that what the machine does meanwhile weighs on all sizes alike. Each clone of the first run is compared whole. */
async function cloneTimes(parents: readonly LivingEnvironment[]): Promise<ReadonlyMap<LivingEnvironment, readonly number[]>> {
  const times = new Map(parents.map((parent) => [parent, [] as number[]]));
  for (let run = 0; run < runs; run += 1) {
    for (const [parent, taken] of times) {
      taken.push(await parent.cloneMs('clone'));
      const [wrong] = run === 0 ? await unequal(parent, ['clone']) : [];
      if (wrong !== undefined) throw new Error(wrong);
      await parent.remove('clone');
    }
  }
  return times;
}

/** A branch of the same release without data. */
async function emptyMs(parent: LivingEnvironment): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    times.push(await parent.emptyMs('empty'));
    await parent.remove('empty');
  }
  return median(times);
}

function cloneRows(clones: ReadonlyMap<LivingEnvironment, readonly number[]>, measuredEmptyMs: number): readonly BenchRow[] {
  const floor = { name: 'a branch without data', measured: measuredEmptyMs };
  const note = `medians of ${runs}; from git push to the first answer with the newest row, key and file; the first clone was compared whole`;
  const medians = [...clones.values()].map(median);
  const [smallest = Number.NaN, largest = Number.NaN] = [medians[0], medians.at(-1)];
  return [
    ...[...clones].map(([{ megabytes }, times]) =>
      judged({ name: `clone of ${sized(megabytes)}`, measured: median(times), unit: 'ms', floor, limit: limitMs, note }),
    ),
    judged({ name: 'clone of the largest over the smallest', measured: largest / smallest, unit: 'ratio', limit: 1.3 }),
  ];
}

/** With the server stopped between the copy and the start of its services, and once it answered. */
async function diskRows(parent: LivingEnvironment): Promise<readonly BenchRow[]> {
  const found = await parent.stoppedClone('clone', async (data) => ({ data, bytes: await exclusiveBytes(data) }));
  const readyBytes = await exclusiveBytes(found.data);
  await parent.remove('clone');
  const name = `new disk of a clone of ${sized(parent.megabytes)}`;
  const note = 'bytes that only its subvolume has, after a sync';
  return [
    judged({ name: `${name} before its services start`, measured: found.bytes / mebibyte, unit: 'MB', limit: 1, note }),
    judged({ name: `${name} when ready`, measured: readyBytes / mebibyte, unit: 'MB', limit: 64 }),
  ];
}

async function revertRows(parent: LivingEnvironment, cloneMs: number): Promise<readonly BenchRow[]> {
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) times.push(await parent.revertMs(`to revert ${run}`));
  const floor = { name: 'clone', measured: cloneMs };
  const note = `medians of ${runs}; from the command to the first answer with the data that was there before`;
  return [
    judged({ name: `revert with ${sized(parent.megabytes)} of data`, measured: median(times), unit: 'ms', floor, limit: limitMs, note }),
  ];
}

/** Pushes of as many branches at once; each copy is compared whole. */
async function atOnceRows(parent: LivingEnvironment, cloneMs: number): Promise<readonly BenchRow[]> {
  const branches = Array.from({ length: atOnce }, (_, index) => `at-once-${index}`);
  const startedMs = performance.now();
  const results = await Promise.allSettled(branches.map((branch) => parent.cloneMs(branch)));
  const tookMs = performance.now() - startedMs;
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []));
  if (failures.length === 0) failures.push(...(await unequal(parent, branches)));
  await parent.remove(...branches);
  const name = `${atOnce} clones of ${sized(parent.megabytes)} at once`;
  const floor = { name: `${atOnce} times one alone`, measured: atOnce * cloneMs };
  return [
    judged({
      name: `${name}: lost or wrong`,
      measured: failures.length,
      unit: 'count',
      limit: 0,
      ...(failures[0] ? { note: failures[0] } : {}),
    }),
    judged({
      name,
      measured: tookMs,
      unit: 'ms',
      floor,
      limit: 2 * floor.measured,
      note: 'until the last answers; each was compared whole',
    }),
  ];
}

/** Those that do not hold all that `main` holds, in words. */
async function unequal(parent: LivingEnvironment, branches: readonly string[]): Promise<readonly string[]> {
  const expected = await parent.digest('main');
  const wrong: string[] = [];
  for (const branch of branches) {
    const found = await parent.digest(branch);
    if (found !== expected) wrong.push(`${branch} is no copy: ${found}, not ${expected}`);
  }
  return wrong;
}

/** `100 MB`, `1 GB`. */
export function sized(megabytes: number): string {
  return megabytes < 1_000 ? `${megabytes} MB` : `${megabytes / 1_000} GB`;
}

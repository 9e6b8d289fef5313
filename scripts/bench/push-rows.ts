import { mkdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clone, TestServer } from '../../test/e2e/harness.ts';
import { firstAnswer } from './ask.ts';
import { type BenchRow, judged, median, runs } from './bench-row.ts';
import { dockerApi } from './docker-api.ts';
import { type PlainGitHost, startPlainGitHost } from './plain-git-host.ts';
import { PlainRegistry, runPlainly } from './plain-registry.ts';
import { containersOf, deploymentsOf, environmentOf, placeOf, removeImages } from './server-answers.ts';
import { serverText, smallApplication } from './small-application.ts';

const project = 'small';
const port = 8080;

/** The small application on a server and on the floor below it: plain git, plain pull, plain run. */
interface Bench {
  readonly server: TestServer;
  readonly clone: Clone;
  readonly host: PlainGitHost;
  readonly registry: PlainRegistry;
  /** Remote of the bare repository that the floor pushes to. */
  readonly plain: string;
}

/** Pushes of one application: a changed line, a README, and the way back; each beside plain tools doing the same, run in turn. */
export async function pushRows(server: TestServer): Promise<readonly BenchRow[]> {
  const bench = await openBench(server);
  try {
    await warmUp(bench);
    const changed = await changedLine(bench);
    return [...changed.rows, await readmeRow(bench), await revertRow(bench, changed.medianMs)];
  } finally {
    await bench.registry.close();
    await bench.host.close();
    await removeImages(bench.registry.address);
  }
}

async function openBench(server: TestServer): Promise<Bench> {
  const clone = await server.project(project);
  await clone.deploy(smallApplication('first'));
  const [node] = (await environmentOf(server, project)).nodes;
  if (!node) throw new Error('the small application has no node');
  const folder = join(server.folder, 'plain');
  mkdirSync(folder);
  const host = await startPlainGitHost(folder);
  const plain = await host.create(project);
  await clone.git('push', '--quiet', plain, 'HEAD:refs/heads/main');
  const registry = await PlainRegistry.start(join(folder, 'images'), { images: join(server.data, 'images'), manifest: node.image });
  return { server, clone, host, registry, plain };
}

/** Both sides once, unmeasured. */
async function warmUp(bench: Bench): Promise<void> {
  await bench.clone.commit({ 'server.js': serverText('warm') });
  await floorMs(bench, 'warm');
  await pushToLiveMs(bench, 'warm');
}

async function changedLine(bench: Bench): Promise<{ readonly rows: readonly BenchRow[]; readonly medianMs: number }> {
  const live: number[] = [];
  const floors: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const version = `changed-${run}`;
    await bench.clone.commit({ 'server.js': serverText(version) });
    floors.push(await floorMs(bench, version));
    live.push(await pushToLiveMs(bench, version));
  }
  const measured = median(live);
  const floor = { name: 'plain push, pull, run, first answer', measured: median(floors) };
  const name = 'push to live, one changed line';
  return {
    medianMs: measured,
    rows: [
      judged({ name, measured, unit: 'ms', floor, limit: 1.6 * floor.measured, note: 'at most 1.6 times the floor' }),
      judged({ name, measured, unit: 'ms', limit: 1_200 }),
    ],
  };
}

/** From starting git to the first answer of `version` through the router, in ms. */
async function pushToLiveMs({ server, clone }: Bench, version: string): Promise<number> {
  const startedMs = performance.now();
  const answered = firstAnswer(placeOf(server, project), version);
  const [answeredMs, pushed] = await Promise.all([answered, clone.push('HEAD:refs/heads/main')]);
  if (pushed.code !== 0) throw new Error(`the push was refused:\n${pushed.output}`);
  return answeredMs - startedMs;
}

/** The same commit by plain tools, in ms. The image is made before, since plain tools would not make it. */
async function floorMs({ clone, plain, registry }: Bench, version: string): Promise<number> {
  const image = await registry.image({ 'server.js': serverText(version) });
  const startedMs = performance.now();
  await clone.git('push', '--quiet', plain, 'HEAD:refs/heads/main');
  await registry.pull(image);
  const { id, answeredMs } = await runPlainly(image, { argv: ['node', 'server.js'], port, expected: version });
  await dockerApi('DELETE', `/containers/${id}?force=true&v=true`);
  return answeredMs - startedMs;
}

async function readmeRow({ server, clone, plain }: Bench): Promise<BenchRow> {
  const before = await containersOf(server, project);
  const pushes: number[] = [];
  const plains: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    await clone.commit({ 'README.md': `Read me, ${run}.\n` });
    plains.push(await timeMs(() => clone.git('push', '--quiet', plain, 'HEAD:refs/heads/main')));
    pushes.push(await timeMs(() => deploy(clone)));
  }
  const untouched = JSON.stringify(await containersOf(server, project)) === JSON.stringify(before);
  if (!untouched) throw new Error('a push of a README touched containers');
  const floor = { name: 'plain push', measured: median(plains) };
  return judged({
    name: 'push of a README',
    measured: median(pushes),
    unit: 'ms',
    floor,
    limit: floor.measured + 150,
    note: 'at most plain push + 150 ms; container ids are the same',
  });
}

/** Back to the tree before and forth again, each a commit of its own. */
async function revertRow(bench: Bench, pushToLiveMedianMs: number): Promise<BenchRow> {
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const version = `to-revert-${run}`;
    const before = `changed-${runs - 1}`;
    await bench.clone.commit({ 'server.js': serverText(version) });
    await pushToLiveMs(bench, version);
    await bench.clone.git('revert', '--no-edit', 'HEAD');
    const images = await imagesOf(bench.server);
    times.push(await pushToLiveMs(bench, before));
    if ((await imagesOf(bench.server)) !== images) throw new Error('a revert built an image');
  }
  const [last] = await deploymentsOf(bench.server, project);
  return judged({
    name: 'revert to the tree before',
    measured: median(times),
    unit: 'ms',
    floor: { name: 'push to live', measured: pushToLiveMedianMs },
    limit: pushToLiveMedianMs * noise,
    note: `nothing was built (build ${last?.durations.build} ms); equal within 5 % counts as not slower`,
  });
}

/** Two medians of the same work differ by this much. */
const noise = 1.05;

/** The keys that images were built for, as one text. */
async function imagesOf(server: TestServer): Promise<string> {
  return (await readdir(join(server.data, 'images', 'keys', 'image'))).sort().join(' ');
}

async function deploy(clone: Clone): Promise<void> {
  const { code, output } = await clone.push('HEAD:refs/heads/main');
  if (code !== 0) throw new Error(`the push was refused:\n${output}`);
}

async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

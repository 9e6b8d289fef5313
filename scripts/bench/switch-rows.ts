import { setTimeout as pause } from 'node:timers/promises';
import type { TestServer } from '../../test/e2e/harness.ts';
import { type NotedStore, notedApp } from '../../test/faults/noted-app.ts';
import { SteadyLoad } from '../../test/faults/steady-load.ts';
import { SteadyStreams } from '../../test/faults/steady-streams.ts';
import { type BenchRow, judged, median } from './bench-row.ts';

const perSecond = 200;
const streams = 3;
const steadyMs = 10_000;
const holds = 10;

/** Deployments under a steady load: nothing may be lost or executed twice, and answers may be late by little. */
export async function switchRows(server: TestServer, deployments: number): Promise<readonly BenchRow[]> {
  return [...(await overlapRows(server, deployments)), await holdRow(server)];
}

async function overlapRows(server: TestServer, deployments: number): Promise<readonly BenchRow[]> {
  const run = await underLoad(server, { store: 'shared file', deployments, perSecond, streams });
  const floor = { name: 'p99 without deployments', measured: run.steadyP99Ms };
  const what = `${deployments} deployments by overlap`;
  const note = `${run.sent} requests at ${perSecond}/s, half of them POST, and ${run.opened} event streams and WebSockets`;
  const wrong = run.wrong.length === 0 ? {} : { note: run.wrong.slice(0, 5).join('; ') };
  return [
    judged({ name: `${what}: lost, doubled or broken`, measured: run.wrong.length, unit: 'count', limit: 0, note, ...wrong }),
    judged({
      name: `${what}: p99`,
      measured: run.p99Ms,
      unit: 'ms',
      floor,
      limit: 3 * floor.measured + 20,
      note: '3 times the floor + 20 ms',
    }),
    judged({ name: `${what}: longest answer`, measured: run.longestMs, unit: 'ms', limit: 500 }),
  ];
}

/** Redis below the application, replaced again and again. Its own restart is what the plan's steps of it took. */
async function holdRow(server: TestServer): Promise<BenchRow> {
  const run = await underLoad(server, { store: 'redis', deployments: holds, perSecond: 100, streams: 0 });
  if (run.wrong.length > 0) throw new Error(`lost while holding: ${run.wrong.slice(0, 5).join('; ')}`);
  const restart = median(run.restartsMs);
  const floor = { name: 'its own restart', measured: restart };
  const longest = median(run.longestPerDeploymentMs);
  const note = `medians of ${holds}; restart: the steps stop, start, provision and await-ready of it; nothing of ${run.sent} requests was lost`;
  return judged({ name: 'hold and switch of Redis: longest answer', measured: longest, unit: 'ms', floor, limit: restart + 300, note });
}

interface Run {
  readonly sent: number;
  readonly opened: number;
  readonly wrong: readonly string[];
  readonly steadyP99Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  readonly longestPerDeploymentMs: readonly number[];
  readonly restartsMs: readonly number[];
}

async function underLoad(
  server: TestServer,
  options: { readonly store: NotedStore; readonly deployments: number; readonly perSecond: number; readonly streams: number },
): Promise<Run> {
  const { store } = options;
  const project = `load-${store.replace(' ', '-')}`;
  const clone = await server.project(project);
  await clone.deploy(notedApp(store, 'v0'));
  const place = { address: server.routerAddress, host: `main.${project}.localhost` };
  const load = new SteadyLoad({ ...place, perSecond: options.perSecond });
  const open = new SteadyStreams(place);
  load.start();
  open.start(options.streams);
  await pause(steadyMs);
  const { p99Ms: steadyP99Ms } = load.times();
  const longestPerDeploymentMs: number[] = [];
  const restartsMs: number[] = [];
  const all: number[] = [];
  for (let index = 1; index <= options.deployments; index += 1) {
    load.reset();
    const logged = server.log.length;
    await clone.deploy(notedApp(store, store === 'redis' ? 'v0' : `v${index}`, 100 + index));
    longestPerDeploymentMs.push(load.times().longestMs);
    all.push(...load.all());
    restartsMs.push(restartMs(server.log.slice(logged)));
  }
  const { broken, opened } = open.stop();
  const { lost, posted, sent } = await load.stop();
  const noted = (await server.request(place.host, '/noted', { timeoutMs: 60_000 })).body.split('\n').filter((line) => line !== '');
  const sorted = all.sort((a, b) => a - b);
  return {
    sent,
    opened,
    wrong: [...lost, ...broken, ...unlike(posted, noted)],
    steadyP99Ms,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
    longestMs: sorted.at(-1) ?? Number.NaN,
    longestPerDeploymentMs,
    restartsMs,
  };
}

/** Posts that were answered and not noted, and those that were noted twice. */
function unlike(posted: readonly string[], noted: readonly string[]): readonly string[] {
  const seen = new Set(noted);
  const twice = noted.length - seen.size;
  const missing = posted.filter((id) => !seen.has(id)).map((id) => `POST ${id} was answered, not executed`);
  return [...missing, ...(twice === 0 ? [] : [`${twice} POSTs were executed twice`])];
}

/** What the steps of the store took, by the server's log. */
function restartMs(log: string): number {
  const steps = log.split('\n').flatMap((line) => (line.includes('"event":"step"') ? [JSON.parse(line) as StepLine] : []));
  return steps
    .filter(({ step }) => /^(stop|start|provision|await-ready) store /.test(step))
    .reduce((sum, { durationMs }) => sum + durationMs, 0);
}

interface StepLine {
  readonly step: string;
  readonly durationMs: number;
}

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { EnvironmentId, RouteEntry } from '@coppice/model';
import { createHaproxyRouter } from './haproxy-router.ts';

/** One figure of the benchmark beside what it must reach. */
export interface BenchRow {
  readonly name: string;
  readonly measured: number;
  readonly unit: 'ms' | 'ratio';
  readonly limit: number;
  readonly ok: boolean;
  /** What it was measured from, for people. */
  readonly note: string;
}

interface WrkResult {
  readonly perSecond: number;
  readonly p99Ms: number;
}

const hosts = 5_000;
const runs = 5;

/**
 * Requests per second and 99th percentile through the router with 5,000 hosts, beside the same back end asked directly: 64 connections
 * kept alive, 5 runs of 3 s of each, alternating, medians. Needs `wrk`; takes about 40 s; leaves nothing behind.
 */
export async function routerRows(): Promise<readonly BenchRow[]> {
  const directory = mkdtempSync(join(tmpdir(), 'coppice-router-bench-'));
  const backEnd = spawn(process.execPath, [join(import.meta.dirname, 'bench-back-end.ts')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const listen = `127.0.0.1:${await freePort()}`;
  const router = createHaproxyRouter({ directory, listen, domain: 'localhost', log: () => undefined });
  try {
    const [line] = (await once(backEnd.stdout, 'data')) as [Buffer];
    const port = Number(line.toString('utf8'));
    await router.ensureRunning();
    const swapMs = await fill(router, port);
    const direct: WrkResult[] = [];
    const routed: WrkResult[] = [];
    for (let run = 0; run < runs; run += 1) {
      direct.push(await wrk(`127.0.0.1:${port}`));
      routed.push(await wrk(listen));
    }
    return [...trafficRows(direct, routed), swapRow(swapMs)];
  } finally {
    backEnd.stdin.end();
    await router.shutdown();
    rmSync(directory, { recursive: true, force: true });
  }
}

function trafficRows(direct: readonly WrkResult[], routed: readonly WrkResult[]): readonly BenchRow[] {
  const [perSecond, floor] = [median(routed.map((run) => run.perSecond)), median(direct.map((run) => run.perSecond))];
  const [p99, p99Floor] = [median(routed.map((run) => run.p99Ms)), median(direct.map((run) => run.p99Ms))];
  // Of neighbouring runs, so that what else the machine does weighs on both sides.
  const ratio = median(routed.map((run, index) => run.perSecond / (direct[index]?.perSecond ?? Number.NaN)));
  const added = median(routed.map((run, index) => run.p99Ms - (direct[index]?.p99Ms ?? Number.NaN)));
  return [
    {
      name: 'router: requests per second with 5,000 hosts, to the back end asked directly',
      measured: ratio,
      unit: 'ratio',
      limit: 0.8,
      ok: ratio >= 0.8,
      note: `${Math.round(perSecond)}/s through the router, ${Math.round(floor)}/s directly (one process of Node)`,
    },
    {
      name: 'router: 99th percentile added',
      measured: added,
      unit: 'ms',
      limit: 2,
      ok: added <= 2,
      note: `${p99.toFixed(2)} ms through the router, ${p99Floor.toFixed(2)} ms directly`,
    },
  ];
}

function swapRow(swapMs: number): BenchRow {
  const note = 'apply of a table with another instance, among 5,000 hosts';
  return { name: 'router: swap of an instance', measured: swapMs, unit: 'ms', limit: 25, ok: swapMs <= 25, note };
}

/** 5,000 hosts in 50 environments; then the median time of a swap. */
async function fill(router: ReturnType<typeof createHaproxyRouter>, port: number): Promise<number> {
  const route = (host: string, id: string): RouteEntry => ({
    host,
    path: '/',
    headers: {},
    access: undefined,
    target: { kind: 'upstream', node: 'web', servers: [{ id, address: '127.0.0.1', port }], redirects: [] },
  });
  const table = (environment: number, id: string) => ({
    entries: Array.from({ length: hosts / 50 }, (_, index) => route(`h${index}.e${environment}.project.localhost`, id)),
  });
  for (let environment = 0; environment < 50; environment += 1)
    await router.apply(`e_${environment}` as EnvironmentId, table(environment, 'first'));
  const times: number[] = [];
  for (let swap = 0; swap < 9; swap += 1) {
    const started = performance.now();
    await router.apply('e_49' as EnvironmentId, table(49, `i${swap}`));
    times.push(performance.now() - started);
  }
  return median(times);
}

async function wrk(address: string): Promise<WrkResult> {
  const args = ['-t1', '-c64', '-d3s', '--latency', '-H', 'Host: h99.e49.project.localhost', `http://${address}/`];
  const { stdout } = await promisify(execFile)('wrk', args);
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
  const [, p99, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
  if (/Non-2xx|Socket errors/.test(stdout) || !(perSecond > 0)) throw new Error(`requests failed:\n${stdout}`);
  return { perSecond, p99Ms: Number(p99) * (unit === 'us' ? 0.001 : unit === 's' ? 1000 : 1) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new TypeError('not listening on a port');
  return address.port;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

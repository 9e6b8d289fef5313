import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { EnvironmentId, RouteEntry, RouteTable } from '@coppice/model';
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
/** Between an answer and the next request of a connection: some 12,000 requests per second in all. */
const paceMs = 5;

/** Where a back end listens. */
export interface BackEnd {
  readonly address: string;
  readonly port: number;
}

/**
 * Requests per second through the router with 5,000 hosts beside an instance asked directly, at what both can bear: 64 connections kept
 * alive, 5 runs of 3 s of each, alternating, medians. What the router adds to the 99th percentile is measured at a rate that leaves
 * processors free, since at the full rate a percentile tells the length of queues; the back end is then a process without a limit of its
 * own, started here. Needs `wrk`; takes about 70 s; leaves nothing behind.
 */
export async function routerRows(instance: BackEnd): Promise<readonly BenchRow[]> {
  const directory = mkdtempSync(join(tmpdir(), 'coppice-router-bench-'));
  const child = spawn(process.execPath, [join(import.meta.dirname, 'bench-back-end.ts')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const listen = `127.0.0.1:${await freePort()}`;
  const router = createHaproxyRouter({ directory, listen, domain: 'localhost', log: () => undefined });
  const paced = join(directory, 'paced.lua');
  writeFileSync(paced, `function delay() return ${paceMs} end\n`);
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const local = { address: '127.0.0.1', port: Number(line.toString('utf8')) };
    await router.ensureRunning();
    const swapMs = await fill(router, local);
    const free = await compare(listen, local, []);
    const calm = await compare(listen, local, ['-s', paced]);
    await router.apply('e_49' as EnvironmentId, table(49, { id: 'instance', ...instance }));
    const limited = await compare(listen, instance, []);
    return [requestsRow(limited, free), percentileRow(calm), swapRow(swapMs)];
  } finally {
    child.stdin.end();
    await router.shutdown();
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Comparison {
  readonly direct: readonly WrkResult[];
  readonly routed: readonly WrkResult[];
}

async function compare(listen: string, { address, port }: BackEnd, options: readonly string[]): Promise<Comparison> {
  const direct: WrkResult[] = [];
  const routed: WrkResult[] = [];
  for (let run = 0; run < runs; run += 1) {
    direct.push(await wrk(`${address}:${port}`, options));
    routed.push(await wrk(listen, options));
  }
  return { direct, routed };
}

/** Medians of neighbouring runs, so that what else the machine does weighs on both sides. */
function ratioOf({ direct, routed }: Comparison): number {
  return median(routed.map((run, index) => run.perSecond / (direct[index]?.perSecond ?? Number.NaN)));
}

function perSecond(results: readonly WrkResult[]): number {
  return Math.round(median(results.map((result) => result.perSecond)));
}

function requestsRow(limited: Comparison, free: Comparison): BenchRow {
  const ratio = ratioOf(limited);
  const without = `${ratioOf(free).toFixed(2)} beside a process without a limit (${perSecond(free.routed)} of ${perSecond(free.direct)}/s)`;
  return {
    name: 'router: requests per second with 5,000 hosts, to the instance asked directly',
    measured: ratio,
    unit: 'ratio',
    limit: 0.8,
    ok: ratio >= 0.8,
    note: `${perSecond(limited.routed)}/s of ${perSecond(limited.direct)}/s, an instance of default size (cpu 0.5); ${without}`,
  };
}

function percentileRow({ direct, routed }: Comparison): BenchRow {
  const added = median(routed.map((run, index) => run.p99Ms - (direct[index]?.p99Ms ?? Number.NaN)));
  const [p99, floor] = [median(routed.map((run) => run.p99Ms)), median(direct.map((run) => run.p99Ms))];
  const note = `${p99.toFixed(2)} ms through the router, ${floor.toFixed(2)} ms directly; ${perSecond(routed)}/s, each connection ${paceMs} ms after its last answer`;
  return { name: 'router: 99th percentile added', measured: added, unit: 'ms', limit: 2, ok: added <= 2, note };
}

function swapRow(swapMs: number): BenchRow {
  const note = 'apply of a table with another instance, among 5,000 hosts';
  return { name: 'router: swap of an instance', measured: swapMs, unit: 'ms', limit: 25, ok: swapMs <= 25, note };
}

function table(environment: number, server: BackEnd & { readonly id: string }): RouteTable {
  const route = (host: string): RouteEntry => ({
    host,
    path: '/',
    headers: {},
    access: undefined,
    target: { kind: 'upstream', node: 'web', servers: [server], redirects: [] },
  });
  return { entries: Array.from({ length: hosts / 50 }, (_, index) => route(`h${index}.e${environment}.project.localhost`)) };
}

/** 5,000 hosts in 50 environments; then the median time of a swap. */
async function fill(router: ReturnType<typeof createHaproxyRouter>, backEnd: BackEnd): Promise<number> {
  for (let environment = 0; environment < 50; environment += 1)
    await router.apply(`e_${environment}` as EnvironmentId, table(environment, { id: 'first', ...backEnd }));
  const times: number[] = [];
  for (let swap = 0; swap < 9; swap += 1) {
    const started = performance.now();
    await router.apply('e_49' as EnvironmentId, table(49, { id: `i${swap}`, ...backEnd }));
    times.push(performance.now() - started);
  }
  return median(times);
}

async function wrk(address: string, options: readonly string[]): Promise<WrkResult> {
  const args = ['-t1', '-c64', '-d3s', '--latency', '-H', 'Host: h99.e49.project.localhost', ...options, `http://${address}/`];
  const { stdout } = await promisify(execFile)('wrk', args);
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
  const [, p99, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
  if (/Non-2xx|Socket errors/.test(stdout) || !(rate > 0)) throw new Error(`requests failed:\n${stdout}`);
  return { perSecond: rate, p99Ms: Number(p99) * (unit === 'us' ? 0.001 : unit === 's' ? 1000 : 1) };
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

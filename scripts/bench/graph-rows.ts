import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clone, mustRun, runProgram, type TestServer } from '../../test/e2e/harness.ts';
import { type BenchRow, judged, median, runs } from './bench-row.ts';
import { containersOf, deploymentsOf, environmentOf } from './server-answers.ts';

const project = 'tree';
const nodes = 20;

/** A new graph of 20 small web servers in a binary tree, beside Compose where it is installed; and a look at it when nothing changed. */
export async function graphRows(server: TestServer): Promise<readonly BenchRow[]> {
  const clone = await server.project(project);
  await clone.deploy({ 'coppice.yaml': treeFile(), 'public/index.html': 'Hello\n' });
  const applies: number[] = [];
  for (let run = 0; run < runs; run += 1) applies.push(await applyMs(server, clone, `tree-${run}`));
  const measured = median(applies);
  const name = `apply of a new tree of ${nodes} nodes`;
  const peers = await composeTimes(server);
  const peer = peers && { name: 'compose up --wait', measured: median(peers) };
  return [
    judged({ name, measured, unit: 'ms', limit: 5_000, ...(peer ? {} : { note: 'Compose v2 is not installed: no peer' }) }),
    ...(peer ? [judged({ name, measured, unit: 'ms', floor: peer, limit: 0.5 * peer.measured })] : []),
    await unchangedRow(server, clone),
  ];
}

/** Node 0 needs 1 and 2, 1 needs 3 and 4, and so on: five levels. */
function children(index: number): readonly number[] {
  return [2 * index + 1, 2 * index + 2].filter((child) => child < nodes);
}

function treeFile(): string {
  const applications = Array.from({ length: nodes }, (_, index) => {
    const needs = children(index).map((child) => `n${child}: "n${child}:http"`);
    return [
      `  n${index}:`,
      '    type: static:1',
      '    web: { locations: { "/": { root: public, index: [index.html] } } }',
      ...(needs.length > 0 ? [`    relationships: { ${needs.join(', ')} }`] : []),
    ].join('\n');
  });
  return `applications:\n${applications.join('\n')}\nroutes:\n  "http://{default}/": { type: upstream, upstream: "n0:http" }\n`;
}

/** A new environment on a branch of its own; resolves with how long its plan took to apply, in ms. */
async function applyMs(server: TestServer, clone: Clone, branch: string): Promise<number> {
  const { code, output } = await clone.push(`HEAD:refs/heads/${branch}`);
  if (code !== 0) throw new Error(`the push was refused:\n${output}`);
  const [latest] = await deploymentsOf(server, project);
  await clone.push(`:refs/heads/${branch}`);
  return latest?.durations.apply ?? Number.NaN;
}

/** Pushes of a README: what the loop needs to observe the environment and to find that nothing is to be done. */
async function unchangedRow(server: TestServer, clone: Clone): Promise<BenchRow> {
  const before = await containersOf(server, project);
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    await clone.deploy({ 'README.md': `Read me, ${run}.\n` });
    const [latest] = await deploymentsOf(server, project);
    times.push(latest?.durations.plan ?? Number.NaN);
  }
  if (JSON.stringify(await containersOf(server, project)) !== JSON.stringify(before)) throw new Error('a README touched containers');
  const note = 'observe and plan, as `deployments` tells of a push of a README, on the real engine';
  return judged({ name: `reconcile of ${nodes} nodes, nothing changed`, measured: median(times), unit: 'ms', limit: 50, note });
}

/** `docker compose up --wait` of the same graph, the same image and health checks; undefined where Compose v2 is not installed. */
async function composeTimes(server: TestServer): Promise<readonly number[] | undefined> {
  const found = await runProgram('docker', ['compose', 'version', '--short']);
  if (found.code !== 0) return undefined;
  const image = await imageId(server);
  const file = join(server.folder, 'compose.json');
  writeFileSync(file, JSON.stringify(composeFile(image)));
  const compose = ['compose', '--project-name', 'coppice-bench-tree', '--file', file];
  const times: number[] = [];
  try {
    for (let run = 0; run < runs; run += 1) {
      const startedMs = performance.now();
      await mustRun('docker', [...compose, 'up', '--detach', '--wait', '--quiet-pull']);
      times.push(performance.now() - startedMs);
      await mustRun('docker', [...compose, 'down', '--timeout', '1']);
    }
  } finally {
    await mustRun('docker', [...compose, 'down', '--timeout', '1']);
    rmSync(file);
  }
  return times;
}

/** The engine's id of the image that all nodes of the tree run. */
async function imageId(server: TestServer): Promise<string> {
  const [node] = (await environmentOf(server, project)).nodes;
  const [container] = node?.instances ?? [];
  if (!container) throw new Error('the tree has no container');
  return (await mustRun('docker', ['inspect', '--format', '{{.Image}}', container.id])).trim();
}

function composeFile(image: string): object {
  const healthcheck = { test: ['CMD', 'nginx', '-t', '-q', '-c', '/etc/nginx/coppice.conf'], interval: '1s', start_period: '10s' };
  const services = Array.from({ length: nodes }, (_, index) => {
    const needs = children(index).map((child) => [`n${child}`, { condition: 'service_healthy' }] as const);
    const service = {
      image,
      command: ['nginx', '-c', '/etc/nginx/coppice.conf'],
      user: '1000:1000',
      tmpfs: ['/run:mode=1777', '/tmp'],
      pull_policy: 'never',
      healthcheck,
      depends_on: Object.fromEntries(needs),
    };
    return [`n${index}`, service] as const;
  });
  return { services: Object.fromEntries(services) };
}

import { setTimeout as pause } from 'node:timers/promises';
import type { TestServer } from '../../test/e2e/harness.ts';
import { type BenchRow, judged } from './bench-row.ts';
import { processorSeconds, residentBytes } from './process-use.ts';

const projects = 2;
const environmentsPerProject = 25;
const sampleEveryMs = 5_000;
/** After the last deployment, before what is measured begins. */
const settleMs = 20_000;

const file = `applications:
${['a', 'b', 'c'].map((name) => `  ${name}:\n    type: static:1\n    web: { locations: { "/": { root: public, index: [index.html] } } }`).join('\n')}
routes:
  "http://{default}/": { type: upstream, upstream: "a:http" }
`;

/** Memory and processor time of the server process with 50 environments of 3 containers while nobody asks anything of it. */
export async function idleRows(server: TestServer, minutes: number): Promise<readonly BenchRow[]> {
  for (let project = 0; project < projects; project += 1) await fill(server, `idle-${project}`);
  const { pid } = server;
  if (pid === undefined) throw new Error('the server does not run');
  await pause(settleMs);
  const startedMs = performance.now();
  const before = processorSeconds(pid);
  let highest = residentBytes(pid);
  while (performance.now() - startedMs < minutes * 60_000) {
    await pause(Math.min(sampleEveryMs, minutes * 60_000));
    highest = Math.max(highest, residentBytes(pid));
  }
  const elapsedSeconds = (performance.now() - startedMs) / 1000;
  const share = (100 * (processorSeconds(pid) - before)) / elapsedSeconds;
  const count = projects * environmentsPerProject;
  const note = `over ${(elapsedSeconds / 60).toFixed(1)} minutes; the server process, the highest of samples every ${sampleEveryMs / 1000} s`;
  return [
    judged({ name: `idle with ${count} environments: memory`, measured: highest / 1024 ** 2, unit: 'MB', limit: 150, note }),
    judged({ name: `idle with ${count} environments: processor`, measured: share, unit: '% of a core', limit: 1 }),
  ];
}

/** Some branches in each push: one of all would start 75 containers at once. */
async function fill(server: TestServer, name: string): Promise<void> {
  const clone = await server.project(name);
  await clone.commit({ 'coppice.yaml': file, 'public/index.html': 'Hello\n' });
  const branches = Array.from({ length: environmentsPerProject }, (_, index) => `HEAD:refs/heads/b${index}`);
  for (let first = 0; first < branches.length; first += 5) {
    const { code, output } = await clone.push(branches.slice(first, first + 5));
    if (code !== 0) throw new Error(`the push was refused:\n${output}`);
  }
}

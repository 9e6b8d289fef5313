import { tinyApp } from '../../test/e2e/harness/tiny-app.ts';
import { mustRun, runProgram, type TestServer, until } from '../../test/e2e/harness.ts';
import { ask } from './ask.ts';
import { type BenchRow, judged, median } from './bench-row.ts';
import { environmentOf, placeOf } from './server-answers.ts';

const project = 'sleeper';
const wakes = 5;

const yaml = `applications:
  web:
    type: nodejs:24
    start: node server.mjs
    relationships: [db]
services:
  db: postgresql:15
`;

/** From a request at a suspended environment to its answer, beside the same containers started by hand in the same order. */
export async function wakeRows(server: TestServer): Promise<readonly BenchRow[]> {
  const clone = await server.project(project);
  await clone.deploy(tinyApp({ yaml }));
  const floors = await plainStarts(server);
  const times: number[] = [];
  for (let wake = 0; wake < wakes; wake += 1) {
    const { code, stderr } = await server.cli('env', 'suspend', '--project', project);
    if (code !== 0) throw new Error(stderr);
    const startedMs = performance.now();
    const { status } = await server.request(`main.${project}.localhost`, '/', { timeoutMs: 60_000 });
    times.push(performance.now() - startedMs);
    if (status !== 200) throw new Error(`the wake answered ${status}`);
  }
  const floor = { name: 'docker start, in order', measured: median(floors) };
  const note = `medians of ${wakes}; Node and PostgreSQL; by hand: start the database, until it says that it is ready, start Node, until it answers`;
  return [judged({ name: 'wake: held request to answer', measured: median(times), unit: 'ms', floor, limit: 1.5 * floor.measured, note })];
}

/** Stops and starts the environment's own containers with the control plane away, which would repair that. */
async function plainStarts(server: TestServer): Promise<readonly number[]> {
  const { nodes } = await environmentOf(server, project);
  const idOf = (name: string): string => nodes.find((node) => node.name === name)?.instances[0]?.id ?? '';
  const [db, web] = [idOf('db'), idOf('web')];
  await server.kill();
  const times: number[] = [];
  try {
    for (let run = 0; run < wakes; run += 1) {
      await mustRun('docker', ['stop', web, db]);
      const startedMs = performance.now();
      await mustRun('docker', ['start', db]);
      await until(() => isReady(db), { what: 'the database is ready', everyMs: 20 });
      await mustRun('docker', ['start', web]);
      const address = await mustRun('docker', ['inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', web]);
      const place = { address: address.trim(), port: 8080, host: 'web' };
      await until(async () => (await ask(place)) === 'one', { what: 'the application answers', everyMs: 20 });
      times.push(performance.now() - startedMs);
    }
  } finally {
    await server.launch();
  }
  await until(async () => (await ask(placeOf(server, project))) === 'one', { what: 'the environment answers again' });
  return times;
}

async function isReady(container: string): Promise<boolean> {
  return (await runProgram('docker', ['exec', container, 'pg_isready', '--quiet', '--host', '/run/postgresql'])).code === 0;
}

import { readFileSync } from 'node:fs';
import { routerRows } from '../../packages/router/src/router.bench.ts';
import { mustRun, type TestServer } from '../../test/e2e/harness.ts';
import type { BenchRow } from './bench-row.ts';
import { environmentOf } from './server-answers.ts';

const project = 'routed';

/** The router beside an instance as every application gets one: a container of default size, asked at its own address. */
export async function routedRows(server: TestServer): Promise<readonly BenchRow[]> {
  const clone = await server.project(project);
  const file = new URL('../../packages/router/src/bench-back-end.ts', import.meta.url);
  const yaml = 'applications:\n  web:\n    type: nodejs:24\n    start: node server.ts\n';
  await clone.deploy({ 'coppice.yaml': yaml, 'server.ts': readFileSync(file, 'utf8') });
  const [node] = (await environmentOf(server, project)).nodes;
  const id = node?.instances[0]?.id ?? '';
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
  const address = (await mustRun('docker', ['inspect', '--format', format, id])).trim();
  const rows = await routerRows({ address, port: 8080 });
  // Its one ratio is the share of the instance's requests per second that is left.
  return rows.map((row) => (row.unit === 'ratio' ? { ...row, atLeast: true } : row));
}

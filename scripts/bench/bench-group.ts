import { planRows } from '../../packages/plan/src/plan.bench.ts';
import { type ServerSettings, TestServer } from '../../test/e2e/harness.ts';
import type { BenchRow } from './bench-row.ts';
import { driverRows } from './driver-rows.ts';
import { firstPushRows } from './first-push-rows.ts';
import { graphRows } from './graph-rows.ts';
import { idleRows } from './idle-rows.ts';
import { largePushRows } from './large-push-rows.ts';
import { livingRows } from './living-rows.ts';
import { manyRows } from './many-rows.ts';
import { pushRows } from './push-rows.ts';
import { routedRows } from './routed-rows.ts';
import { removeImages } from './server-answers.ts';
import { switchRows } from './switch-rows.ts';
import { wakeRows } from './wake-rows.ts';

/** Rows that are measured together. */
export interface BenchGroup {
  /** What `npm run bench -- NAME` runs; groups may share one. */
  readonly name: string;
  readonly run: () => Promise<readonly BenchRow[]>;
}

export interface BenchOptions {
  readonly idleMinutes: number;
  readonly deployments: number;
  /** Adds what takes very long. */
  readonly large: boolean;
}

/** All groups, in the order of the table. */
export function benchGroups(options: BenchOptions): readonly BenchGroup[] {
  return [
    { name: 'push', run: () => withServer(pushRows) },
    { name: 'first-push', run: () => withServer(firstPushRows) },
    { name: 'graph', run: () => withServer(graphRows) },
    { name: 'plan', run: async () => planRows() },
    { name: 'router', run: () => withServer(routedRows) },
    { name: 'switch', run: () => withServer((server) => switchRows(server, options.deployments)) },
    { name: 'wake', run: () => withServer(wakeRows) },
    { name: 'living', run: () => withServer((server) => livingRows(server, options)) },
    { name: 'living', run: driversRows },
    { name: 'many', run: () => withServer(manyRows) },
    { name: 'large-push', run: () => withServer(largePushRows) },
    { name: 'idle', run: () => withServer((server) => idleRows(server, options.idleMinutes)) },
  ];
}

/** Each driver on a server of its own. */
async function driversRows(): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const driver of ['reflink', 'copy'] as const) {
    rows.push(...(await withServer((server) => driverRows(server, driver), { variables: { COPPICE_VOLUMES: driver } })));
  }
  return rows;
}

/** Gives a group a fresh server, and takes all of it down afterwards, pulled images included. */
async function withServer(
  measure: (server: TestServer) => Promise<readonly BenchRow[]>,
  settings: ServerSettings = {},
): Promise<readonly BenchRow[]> {
  const server = await TestServer.start(settings);
  try {
    return await measure(server);
  } finally {
    await server.stop();
    await removeImages(server.apiAddress);
  }
}

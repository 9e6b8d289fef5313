import { TestServer } from '../../test/e2e/harness.ts';
import type { BenchRow } from './bench-row.ts';
import { pushRows } from './push-rows.ts';
import { removeImages } from './server-answers.ts';

/** Rows that are measured together. */
export interface BenchGroup {
  /** What `npm run bench -- NAME` runs. */
  readonly name: string;
  readonly run: () => Promise<readonly BenchRow[]>;
}

/** All groups, in the order of the table. */
export const benchGroups: readonly BenchGroup[] = [{ name: 'push', run: () => withServer(pushRows) }];

/** Gives a group a fresh server, and takes all of it down afterwards, pulled images included. */
async function withServer<Result>(measure: (server: TestServer) => Promise<Result>): Promise<Result> {
  const server = await TestServer.start();
  try {
    return await measure(server);
  } finally {
    await server.stop();
    await removeImages(server.apiAddress);
  }
}

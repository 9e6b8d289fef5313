import type { TestContext } from 'node:test';
import { temporaryFolder } from '../clone-fixture.ts';
import { type CoppiceResult, runCoppice } from '../run-coppice.ts';
import { sendJson, sendProblem, serverFixture } from '../server-fixture.ts';

/** For tests: a server with the project `shop`, and the command that asks it from outside any clone. */
export interface ShopFixture {
  run(...args: readonly string[]): Promise<CoppiceResult>;
  /** What was asked but for activities: method, path and body of each. */
  asked(): readonly (readonly string[])[];
}

/** For tests: a problem that the server answers with. */
export interface Refusal {
  readonly refused: number;
  readonly problem: object;
}

/**
 * For tests: `answers` by method and path below /v1, such as `POST /projects/shop/trash`; each other request is not found. Activity
 * `a_1` says two lines and ends as `state`.
 */
export async function shopFixture(
  t: TestContext,
  answers: Readonly<Record<string, Refusal | object>>,
  state: 'succeeded' | 'failed' | 'cancelled' = 'succeeded',
): Promise<ShopFixture> {
  const server = await serverFixture(t, ({ method, path }, response) => {
    const answer = answers[`${method} ${path}`];
    if (path.startsWith('/activities/a_1/log')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end('event: line\ndata: "one"\n\nevent: line\ndata: "two"\n\nevent: end\ndata: {}\n\n');
    } else if (path === '/activities/a_1') sendJson(response, endedActivity(state));
    else if (answer === undefined) sendProblem(response, 404, { code: 'not-found', detail: `nothing is at ${method} ${path}` });
    else if ('refused' in answer) sendProblem(response, answer.refused, answer.problem);
    else sendJson(response, answer);
  });
  const where = { folder: temporaryFolder(t), variables: { COPPICE_URL: server.url, COPPICE_PROJECT: 'shop' } };
  return {
    run: async (...args) => await runCoppice(where, ...args),
    asked: () =>
      server.asked
        .filter(({ path }) => !path.startsWith('/activities'))
        .map(({ method, path, body }) => (body === '' ? [method, path] : [method, path, body])),
  };
}

/** For tests: what the server says of activity `a_1` in the end. */
export function endedActivity(state: string): object {
  return { id: 'a_1', kind: 'restore', state, environment: 'main', actor: 'admin', startedAt: '2026-03-01T12:00:00Z' };
}

/** For tests: a JSON document as the command prints it. */
export function document(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

import type { TestContext } from 'node:test';
import type { ControlPlane } from '@coppice/control';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { type ApiParts, createApi } from './create-api.ts';

/** What a test asks of the API; the token is a valid one where nothing else is said. */
export interface Asked {
  readonly method?: 'GET' | 'POST' | 'DELETE' | 'HEAD';
  readonly url: string;
  /** An object is sent as JSON, text as it is. */
  readonly body?: object | string;
  /** undefined takes a header away that is sent by default. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** The API over a control plane that has only the methods a test gives. */
export interface TestApi {
  readonly api: FastifyInstance;
  /** What was logged: event and code. */
  readonly logged: (readonly unknown[])[];
  ask(asked: Asked): Promise<LightMyRequestResponse>;
}

/** Tokens are `good` (of admin) and `other` (of somebody else). Closed when the test ends. */
export function openTestApi(context: TestContext, control: Partial<ControlPlane> = {}, parts: Partial<ApiParts> = {}): TestApi {
  const logged: (readonly unknown[])[] = [];
  const api = createApi({
    control: control as ControlPlane,
    verify: (token) =>
      new Map([
        ['good', 'admin'],
        ['other', 'somebody'],
      ]).get(token),
    git: (_request, response) => response.end('git'),
    registry: (_request, response) => response.end('registry'),
    metrics: () => 'coppice_up 1\n',
    version: '1.2.3',
    log: (event, details) => logged.push([event, details['code']]),
    ...parts,
  });
  context.after(() => api.close());
  return { api, logged, ask: async (asked) => await ask(api, asked) };
}

async function ask(api: FastifyInstance, { method = 'GET', url, body, headers = {} }: Asked): Promise<LightMyRequestResponse> {
  const all = { authorization: 'Bearer good', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers };
  const sent = Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
  return await api.inject({ method, url, headers: sent, ...(body === undefined ? {} : { payload: body }) });
}

/** Status, code and detail of a problem, or what was answered where it is none. */
export function problemIn(response: LightMyRequestResponse): readonly unknown[] {
  const type = response.headers['content-type'];
  if (!String(type).startsWith('application/problem+json')) return [response.statusCode, type, response.body];
  const { code, detail } = response.json<{ readonly code: string; readonly detail: string }>();
  return [response.statusCode, code, detail];
}

/** Notes what a fake was called with, and answers. */
export function noted<Answer>(calls: unknown[], given: unknown, answer: Answer): Answer {
  calls.push(given);
  return answer;
}

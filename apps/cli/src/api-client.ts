import { randomUUID } from 'node:crypto';
import { CoppiceError, type Diagnostic, type ErrorCode, errorCodes } from '@coppice/model';
import { ServerUnreachable } from './exit-code.ts';

/** Where the server is, and who asks. */
export interface ApiAccess {
  readonly url: string;
  readonly token: string;
}

interface Page<Item> {
  readonly items: readonly Item[];
  /** Where the next page begins; null: there are no more. */
  readonly next: string | null;
}

/** Speaks the HTTP API. Failures the server names are thrown as CoppiceError with its code; nobody there, who breaks off or who is no Coppice server as ServerUnreachable. */
export class ApiClient {
  readonly access: ApiAccess;

  constructor(access: ApiAccess) {
    this.access = access;
  }

  async get<Answer>(path: string, query: Readonly<Record<string, string | undefined>> = {}): Promise<Answer> {
    return await this.#json<Answer>(await this.#request('GET', withQuery(path, query)));
  }

  /** All items of a list, page after page. */
  async list<Item>(path: string, query: Readonly<Record<string, string | undefined>> = {}): Promise<readonly Item[]> {
    const items: Item[] = [];
    let page = await this.page<Item>(path, query);
    items.push(...page.items);
    while (page.next !== null) {
      page = await this.page<Item>(path, { ...query, before: page.next });
      items.push(...page.items);
    }
    return items;
  }

  /** The first items of a list, as many as the server tells at once. */
  async page<Item>(path: string, query: Readonly<Record<string, string | undefined>> = {}): Promise<Page<Item>> {
    return await this.get<Page<Item>>(path, query);
  }

  async send<Answer>(method: 'POST' | 'DELETE', path: string, body?: object): Promise<Answer> {
    const response = await this.#request(method, path, body);
    return response.status === 204 ? (undefined as Answer) : await this.#json<Answer>(response);
  }

  /** Values of a newline-delimited JSON answer, as they come. */
  async *lines<Value>(path: string, query: Readonly<Record<string, string | undefined>>, signal?: AbortSignal): AsyncIterable<Value> {
    for await (const line of this.#textLines(withQuery(path, query), signal)) {
      if (line !== '') yield JSON.parse(line) as Value;
    }
  }

  /** Data of server-sent events, until the server ends them. */
  async *events<Value>(path: string, query: Readonly<Record<string, string | undefined>>, signal?: AbortSignal): AsyncIterable<Value> {
    let event = 'message';
    for await (const line of this.#textLines(withQuery(path, query), signal)) {
      if (line.startsWith('event: ')) event = line.slice(7);
      else if (line.startsWith('data: ') && event !== 'end') yield JSON.parse(line.slice(6)) as Value;
    }
  }

  async #json<Answer>(response: Response): Promise<Answer> {
    try {
      return (await response.json()) as Answer;
    } catch (cause) {
      const { url } = this.access;
      throw new ServerUnreachable(`what answers at ${url} does not speak like a Coppice server; name it with --url or COPPICE_URL`, {
        cause,
      });
    }
  }

  async *#textLines(path: string, signal: AbortSignal | undefined): AsyncIterable<string> {
    const response = await this.#request('GET', path, undefined, signal);
    try {
      yield* textLines(response);
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw new ServerUnreachable(`the connection to ${this.access.url} broke off before all was told`, { cause });
    }
  }

  async #request(method: string, path: string, body?: object, signal?: AbortSignal): Promise<Response> {
    const response = await this.#fetch(method, path, body, signal);
    if (!response.ok) throw await failureOf(response);
    return response;
  }

  async #fetch(method: string, path: string, body: object | undefined, signal: AbortSignal | undefined): Promise<Response> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.access.token}` };
    if (method !== 'GET') headers['idempotency-key'] = randomUUID();
    if (body) headers['content-type'] = 'application/json';
    const request = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}), ...(signal ? { signal } : {}) };
    try {
      return await fetch(`${this.access.url}/v1${path}`, request);
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ServerUnreachable(
        `no server answers at ${this.access.url}; start one with \`coppice server\`, or name it with --url or COPPICE_URL`,
        { cause: error },
      );
    }
  }
}

function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

interface ProblemBody {
  readonly code?: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly diagnostics?: readonly Diagnostic[];
}

async function failureOf(response: Response): Promise<CoppiceError> {
  const problem: ProblemBody = await response.json().then(
    (body) => body as ProblemBody,
    () => ({}),
  );
  const code: ErrorCode = errorCodes.find((known) => known === problem.code) ?? 'internal';
  const { hint, diagnostics } = problem;
  return new CoppiceError(code, problem.detail ?? `the server answered ${response.status}`, {
    ...(hint === undefined ? {} : { hint }),
    ...(diagnostics ? { diagnostics } : {}),
  });
}

async function* textLines(response: Response): AsyncIterable<string> {
  let rest = '';
  const text = response.body?.pipeThrough(new TextDecoderStream());
  for await (const chunk of text ?? []) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ControlPlane } from '@coppice/control';
import { CoppiceError } from '@coppice/model';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { isDoubtful } from './doubtful-request.ts';
import type { Endpoint } from './endpoint.ts';
import { endpoints } from './endpoints.ts';
import { IdempotencyKeys } from './idempotency.ts';
import { openApi } from './openapi.ts';
import { problemOf } from './problem.ts';

/** Handles a request by itself, outside the API: git and the image registry. */
export type RawHandler = (request: IncomingMessage, response: ServerResponse) => void;

export interface ApiParts {
  readonly control: ControlPlane;
  /** Name of whoever holds the token, or undefined. */
  readonly verify: (token: string) => string | undefined;
  readonly git: RawHandler;
  readonly registry: RawHandler;
  readonly metrics: () => string;
  readonly version: string;
  readonly log: (event: string, details: Readonly<Record<string, unknown>>) => void;
}

const maxBodyBytes = 1024 * 1024;

/** The HTTP server: API under /v1, git under /git, the read-only registry under /v2, and the health pages. Not listening yet. */
export function createApi(parts: ApiParts): FastifyInstance {
  const api = Fastify({
    bodyLimit: maxBodyBytes,
    forceCloseConnections: true,
    serverFactory: (handler) => dispatcher(parts, handler),
    routerOptions: { maxParamLength: 300 },
  });
  api.setErrorHandler((error, request, reply) => answerProblem(parts, error, request, reply));
  api.setNotFoundHandler((request, reply) =>
    answerProblem(parts, new CoppiceError('not-found', `nothing is at ${request.method} ${request.url}`), request, reply),
  );
  api.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => parseBody(String(text), done));
  addHealth(api, parts);
  const keys = new IdempotencyKeys();
  for (const endpoint of endpoints) addEndpoint({ api, parts, keys }, endpoint);
  api.get('/v1/openapi.json', () => openApi(endpoints, parts.version));
  return api;
}

/** Requests of git and the registry are streamed by their own handlers, without the API's limits on bodies and time. */
function dispatcher(parts: ApiParts, api: RawHandler): Server {
  const server = createServer({ maxHeaderSize: 16 * 1024, requestTimeout: 0, headersTimeout: 20_000 }, (request, response) => {
    const path = request.url ?? '/';
    if (isDoubtful(request)) refuseDoubt(response);
    else if (path.startsWith('/git/')) parts.git(request, response);
    else if (path === '/v2' || path.startsWith('/v2/')) parts.registry(request, response);
    else api(request, response);
  });
  server.keepAliveTimeout = 30_000;
  return server;
}

function refuseDoubt(response: ServerResponse): void {
  const problem = problemOf(new CoppiceError('invalid-request', 'the request must name one host, and a path'));
  response.writeHead(problem.status, { 'content-type': 'application/problem+json', connection: 'close' }).end(JSON.stringify(problem));
}

function addEndpoint({ api, parts, keys }: { api: FastifyInstance; parts: ApiParts; keys: IdempotencyKeys }, endpoint: Endpoint): void {
  api.route({
    method: endpoint.method,
    url: `/v1${endpoint.path}`,
    ...(endpoint.body ? { schema: { body: endpoint.body } } : {}),
    handler: async (request, reply) => {
      const actor = authenticate(parts, request);
      const work = async (): Promise<unknown> => await endpoint.handle(callOf(parts, request, reply, actor));
      const key = request.headers['idempotency-key'];
      const answer =
        endpoint.method === 'GET' || typeof key !== 'string'
          ? await work()
          : await keys.once(`${actor} ${endpoint.method} ${request.url} ${key}`, work);
      if (reply.sent) return reply;
      const status = endpoint.status ?? 200;
      return status === 204 ? reply.code(204).send() : reply.code(status).send(answer);
    },
  });
}

function callOf(parts: ApiParts, request: FastifyRequest, reply: FastifyReply, actor: string): Parameters<Endpoint['handle']>[0] {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const params = request.params as Readonly<Record<string, string>>;
  const query = request.query as Readonly<Record<string, string | undefined>>;
  return { control: parts.control, actor, params, query, body: request.body, signal: gone.signal, request, reply };
}

function authenticate(parts: ApiParts, request: FastifyRequest): string {
  const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const actor = token === undefined ? undefined : parts.verify(token);
  if (actor === undefined) {
    throw new CoppiceError('unauthenticated', token === undefined ? 'a token is needed' : 'the token is not valid', {
      hint: 'send Authorization: Bearer TOKEN; the administrator’s is in DIR/admin-token',
    });
  }
  return actor;
}

function parseBody(text: string, done: (error: Error | null, value?: unknown) => void): void {
  try {
    done(null, text === '' ? {} : JSON.parse(text));
  } catch (error) {
    done(new CoppiceError('invalid-request', 'the body is not JSON', { cause: error }));
  }
}

function answerProblem(parts: ApiParts, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemOf(error);
  if (problem.status >= 500)
    parts.log('request.failed', {
      method: request.method,
      url: request.url,
      code: problem.code,
      error: String(error instanceof Error ? error.stack : error),
    });
  if (reply.raw.headersSent) {
    reply.raw.end();
    return;
  }
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer realm="coppice"');
  void reply.code(problem.status).type('application/problem+json').send(problem);
}

function addHealth(api: FastifyInstance, parts: ApiParts): void {
  api.get('/healthz', () => ({ status: 'ok' }));
  api.get('/readyz', async (_request, reply) => {
    const failing = Object.entries(await parts.control.readiness()).flatMap(([part, wrong]) =>
      wrong === undefined ? [] : [{ part, wrong }],
    );
    return reply.code(failing.length === 0 ? 200 : 503).send({ ready: failing.length === 0, failing });
  });
  api.get('/metrics', async (_request, reply) => reply.type('text/plain; version=0.0.4').send(parts.metrics()));
}

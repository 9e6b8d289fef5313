import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ControlPlane } from '@coppice/control';
import { CoppiceError } from '@coppice/model';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { addEndpoint } from './add-endpoint.ts';
import { bodyFailure } from './body-failure.ts';
import { isDoubtful } from './doubtful-request.ts';
import { endpoints } from './endpoints.ts';
import { addHealthPages } from './health-pages.ts';
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
  readonly metrics: () => string | Promise<string>;
  readonly version: string;
  readonly log: (event: string, details: Readonly<Record<string, unknown>>) => void;
}

const maxBodyBytes = 1024 * 1024;
const problemType = 'application/problem+json';

/** The HTTP server: API under /v1, git under /git, the read-only registry under /v2, and the health pages. Not listening yet. */
export function createApi(parts: ApiParts): FastifyInstance {
  const api = Fastify({
    bodyLimit: maxBodyBytes,
    forceCloseConnections: true,
    serverFactory: (handler) => dispatcher(parts, handler),
    routerOptions: { maxParamLength: 300 },
    // Fastify's own choice is to drop fields that are not known and to turn text into numbers.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
    schemaErrorFormatter: bodyFailure,
    frameworkErrors: (error, request, reply) => answerProblem(parts, error, request, reply),
  });
  api.decorateRequest('actor', '');
  api.setErrorHandler((error, request, reply) => answerProblem(parts, error, request, reply));
  api.setNotFoundHandler((request, reply) =>
    answerProblem(parts, new CoppiceError('not-found', `nothing is at ${request.method} ${request.url}`), request, reply),
  );
  api.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => parseBody(String(text), done));
  addHealthPages(api, parts);
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
  response.writeHead(problem.status, { 'content-type': problemType, connection: 'close' }).end(JSON.stringify(problem));
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
      error,
    });
  if (reply.raw.headersSent) {
    reply.raw.end();
    return;
  }
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer realm="coppice"');
  void reply.code(problem.status).type(problemType).send(problem);
}

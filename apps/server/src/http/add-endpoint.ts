import { CoppiceError, canonicalJson, sha256 } from '@coppice/model';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiParts } from './create-api.ts';
import type { Call, Endpoint } from './endpoint.ts';
import type { IdempotencyKeys } from './idempotency.ts';
import { checkParameter } from './parameter.ts';
import { problemOf } from './problem.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Name of whoever holds the token; empty until that is known. */
    actor: string;
  }
}

export interface EndpointParts {
  readonly api: FastifyInstance;
  readonly parts: Pick<ApiParts, 'control' | 'verify' | 'log'>;
  readonly keys: IdempotencyKeys;
}

const noFields = { type: 'object', properties: {}, additionalProperties: false };

/** Routes one operation below /v1. Its token is looked at before anything else of a request is read. */
export function addEndpoint({ api, parts, keys }: EndpointParts, endpoint: Endpoint): void {
  api.route({
    method: endpoint.method,
    url: `/v1${endpoint.path}`,
    ...(endpoint.method === 'GET' ? {} : { schema: { body: endpoint.body ?? noFields } }),
    onRequest: async (request) => {
      request.actor = authenticate(parts, request);
    },
    // A body that is missing is one without fields.
    preValidation: async (request) => {
      if (request.body === undefined) request.body = {};
    },
    handler: async (request, reply) => {
      const call = callOf(parts, request, reply);
      checkParameters(endpoint, call);
      const work = async (): Promise<unknown> => await endpoint.handle(call);
      const answer = await answerOf({ endpoint, request, keys }, work).catch((error: unknown) => {
        if (!reply.sent) throw error;
        breakOff(parts, call, error);
      });
      if (reply.sent) return reply;
      const status = endpoint.status ?? 200;
      return status === 204 ? reply.code(204).send() : reply.code(status).send(answer);
    },
  });
}

interface Asked {
  readonly endpoint: Endpoint;
  readonly request: FastifyRequest;
  readonly keys: IdempotencyKeys;
}

async function answerOf({ endpoint, request, keys }: Asked, work: () => Promise<unknown>): Promise<unknown> {
  const key = request.headers['idempotency-key'];
  if (endpoint.method === 'GET' || typeof key !== 'string') return await work();
  const digest = sha256(canonicalJson([endpoint.method, request.url, request.body]));
  return await keys.once({ actor: request.actor, key, request: digest }, work);
}

/** A stream that fails half-way must not look like one that ended. */
function breakOff({ log }: EndpointParts['parts'], { request, reply, signal }: Call, error: unknown): void {
  if (!signal.aborted)
    log('stream.failed', { method: request.method, url: request.url, code: problemOf(error).code, error: String(error) });
  reply.raw.destroy();
}

function checkParameters(endpoint: Endpoint, { params, query }: Call): void {
  for (const [name, parameter] of Object.entries(endpoint.params ?? {})) checkParameter(name, parameter, params[name]);
  for (const [name, parameter] of Object.entries(endpoint.query ?? {})) checkParameter(name, parameter, query[name]);
}

function callOf({ control }: EndpointParts['parts'], request: FastifyRequest, reply: FastifyReply): Call {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const params = request.params as Call['params'];
  const query = request.query as Call['query'];
  return { control, actor: request.actor, params, query, body: request.body, signal: gone.signal, request, reply };
}

function authenticate({ verify }: EndpointParts['parts'], request: FastifyRequest): string {
  const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const actor = token === undefined ? undefined : verify(token);
  if (actor === undefined) {
    throw new CoppiceError('unauthenticated', token === undefined ? 'a token is needed' : 'the token is not valid', {
      hint: 'send Authorization: Bearer TOKEN; the administrator’s is in DIR/admin-token',
    });
  }
  return actor;
}

import type { ControlPlane } from '@coppice/control';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Parameter } from './parameter.ts';

/** One operation of the API as data: the router and the OpenAPI document are both made from it. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With `:name` for path parameters, below /v1. */
  readonly path: string;
  readonly summary: string;
  /** Parameters of the path that may not be any text. */
  readonly params?: Readonly<Record<string, Parameter>>;
  /** Parameters that are not named here are passed over. */
  readonly query?: Readonly<Record<string, Parameter>>;
  /** JSON Schema of the body; without one only an empty body is taken. */
  readonly body?: object;
  /** 202 for long work that answers an activity. */
  readonly status?: number;
  /** What it answers: a value for JSON, or undefined where it wrote the reply itself. */
  readonly handle: (call: Call) => unknown;
}

/** What a handler gets of a request. */
export interface Call {
  readonly control: ControlPlane;
  readonly actor: string;
  readonly params: Readonly<Record<string, string>>;
  /** Each as the endpoint says that it may be. */
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** A list as the API answers it. `next` is null: all of it is here. */
export function list<Item>(items: readonly Item[]): { readonly items: readonly Item[]; readonly next: null } {
  return { items, next: null };
}

/** A field of the body that the schema promised to be text. */
export function textField(body: unknown, name: string): string {
  const value = typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>)[name] : undefined;
  return typeof value === 'string' ? value : '';
}

/** A field of the body that is a switch; missing is off. */
export function flagField(body: unknown, name: string): boolean {
  return typeof body === 'object' && body !== null && (body as Readonly<Record<string, unknown>>)[name] === true;
}

/** The project that the path names. */
export function projectParam(call: Call): string {
  return call.params['project'] ?? '';
}

/** `-` in a path stands for the default environment. */
export function environmentParam(call: Call): string {
  const name = call.params['environment'] ?? '';
  return name === '-' ? '' : name;
}

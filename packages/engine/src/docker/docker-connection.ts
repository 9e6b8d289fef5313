import { Agent, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import { CoppiceError } from '@coppice/model';
import DockerModem from 'docker-modem';
import { DockerStatusError, translateDockerError } from './docker-error.ts';

/** One call of the Engine API. */
export interface DockerRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Without query, e.g. `/containers/json`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** Until the answer is complete; 60 s where nothing is said, 0 for never. */
  readonly timeoutMs?: number;
  /** Registry credentials, sent as X-Registry-Auth. */
  readonly credentials?: { readonly username: string; readonly password: string; readonly serveraddress: string };
  /** True: a POST that may be sent twice without harm. */
  readonly repeatable?: boolean;
}

type Shape = 'json' | 'stream' | 'hijack';
type DialAnswer = unknown;
interface Dialler {
  dial(options: Record<string, unknown>, callback: (error: unknown, answer: DialAnswer) => void): void;
}

const accepted: Readonly<Record<number, true>> = { 101: true, 200: true, 201: true, 204: true, 304: true };

/** The Engine API over a local unix socket, with connections kept alive. Failures are `engine-unreachable` or DockerStatusError. */
export class DockerConnection {
  readonly socketPath: string;
  readonly #modem: Dialler;
  readonly #agent: Agent;

  /** `dockerHost` as in DOCKER_HOST, undefined for the default socket. Throws `invalid-request` for anything but a unix socket. */
  constructor(dockerHost: string | undefined) {
    this.socketPath = localSocket(dockerHost);
    this.#agent = new QuietAgent({ keepAlive: true, maxSockets: 64, maxFreeSockets: 16 });
    // The transport of dockerode alone: the whole library loads gRPC for a builder that is not used, 14 MB of memory more.
    this.#modem = new DockerModem({ socketPath: this.socketPath, agent: this.#agent }) as unknown as Dialler;
  }

  /** The answer parsed; an answer without JSON is undefined. */
  async json<Answer>(request: DockerRequest): Promise<Answer> {
    const answer = await this.#send(request, 'json');
    return (Buffer.isBuffer(answer) ? undefined : answer) as Answer;
  }

  /** The answer's body as it comes. */
  async stream(request: DockerRequest): Promise<IncomingMessage> {
    return (await this.#send({ timeoutMs: 0, ...request }, 'stream')) as IncomingMessage;
  }

  /** The raw connection after an upgrade: bytes to and from a process. */
  async hijack(request: DockerRequest): Promise<Duplex> {
    return (await this.#send({ timeoutMs: 0, ...request }, 'hijack')) as Duplex;
  }

  /** Closes idle connections. */
  close(): void {
    this.#agent.destroy();
  }

  async #send(request: DockerRequest, shape: Shape): Promise<DialAnswer> {
    try {
      return await this.#dial(request, shape);
    } catch (error) {
      const repeatable = request.repeatable ?? request.method !== 'POST';
      if (!repeatable || !(error instanceof Error) || !('code' in error) || error.code !== 'ECONNRESET') {
        throw translateDockerError(error, this.socketPath, request);
      }
    }
    // A kept connection that the engine had closed (it was restarted) fails at first use only.
    try {
      return await this.#dial(request, shape);
    } catch (error) {
      throw translateDockerError(error, this.socketPath, request);
    }
  }

  #dial(request: DockerRequest, shape: Shape): Promise<DialAnswer> {
    const timeoutMs = request.timeoutMs ?? 60_000;
    const signals: AbortSignal[] = [];
    if (request.signal !== undefined) signals.push(request.signal);
    if (timeoutMs > 0) signals.push(AbortSignal.timeout(timeoutMs));
    const options: Record<string, unknown> = {
      path: `${request.path}?`,
      method: request.method,
      statusCodes: accepted,
      options: { _query: request.query ?? {}, _body: request.body ?? {} },
      isStream: shape === 'stream',
      hijack: shape === 'hijack',
      // The modem never sends the head of a request that stays open and has no body.
      openStdin: shape === 'hijack' && request.body !== undefined,
    };
    if (signals.length > 0) options['abortSignal'] = AbortSignal.any(signals);
    if (request.credentials !== undefined) options['authconfig'] = request.credentials;
    return new Promise((resolve, reject) => {
      if (request.signal?.aborted === true) return reject(request.signal.reason);
      this.#modem.dial(options, (error, answer) => (error === null || error === undefined ? resolve(answer) : reject(error)));
    });
  }
}

/** The modem prints the options of every call in full depth, to throw the text away: an agent's open sockets cost 10 ms per call. */
class QuietAgent extends Agent {
  [inspect.custom](): string {
    return 'Agent';
  }
}

function localSocket(dockerHost: string | undefined): string {
  if (dockerHost === undefined || dockerHost === '') return '/var/run/docker.sock';
  if (dockerHost.startsWith('unix:///')) return dockerHost.slice('unix://'.length);
  throw new CoppiceError('invalid-request', `DOCKER_HOST is "${dockerHost}", but must be a local unix socket`, {
    hint: 'Coppice mounts folders of this host and sets firewall rules on it: use unix:///var/run/docker.sock or unset DOCKER_HOST.',
  });
}

/** What `call` resolves with, or undefined where the engine answers one of `statuses`. */
export async function unlessStatus<Answer>(statuses: readonly number[], call: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof DockerStatusError && statuses.includes(error.status)) return undefined;
    throw error;
  }
}

import { CoppiceError } from '@coppice/model';
import type { DockerRequest } from './docker-connection.ts';

/** The engine answered with a status that is none of success; code `engine-failed`. */
export class DockerStatusError extends CoppiceError {
  readonly status: number;

  constructor(status: number, message: string, cause: unknown) {
    super('engine-failed', message, { cause });
    this.status = status;
  }
}

const unreachableCodes: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'EACCES', 'ECONNRESET', 'EPIPE', 'ENOTSOCK']);

/** What went wrong with a call, as one of our errors: a status, nobody there, too slow, or called off. */
export function translateDockerError(error: unknown, socketPath: string, request: DockerRequest): CoppiceError {
  if (error instanceof CoppiceError) return error;
  if (!(error instanceof Error)) return new CoppiceError('engine-failed', `container engine: ${String(error)}`);
  if ('statusCode' in error && typeof error.statusCode === 'number') {
    return new DockerStatusError(error.statusCode, `container engine: ${statusMessage(error)}`, error);
  }
  if (request.signal?.aborted === true) return new CoppiceError('cancelled', 'called off', { cause: error });
  if (error.name === 'AbortError' || error.name === 'TimeoutError') {
    return new CoppiceError('engine-unreachable', `the container engine did not answer ${request.method} ${request.path} in time`, {
      cause: error,
    });
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (unreachableCodes.has(code)) {
    return new CoppiceError('engine-unreachable', `no container engine answers at ${socketPath} (${reason(code)})`, {
      cause: error,
      hint: 'Start Docker (systemctl start docker, or dockerd), or point DOCKER_HOST to its socket.',
    });
  }
  return new CoppiceError('engine-failed', `container engine: ${error.message}`, { cause: error });
}

function statusMessage(error: Error): string {
  if ('json' in error && typeof error.json === 'object' && error.json !== null && 'message' in error.json) {
    return String(error.json.message).trim();
  }
  return error.message.trim();
}

function reason(code: string): string {
  if (code === 'ENOENT') return 'there is no such socket';
  if (code === 'EACCES') return 'this user may not open the socket';
  if (code === 'ECONNREFUSED') return 'nobody listens on the socket';
  return code;
}

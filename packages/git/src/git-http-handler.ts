import type { IncomingMessage, ServerResponse } from 'node:http';
import { exchange } from './git-exchange.ts';
import type { GitRepositories } from './open-repositories.ts';
import { packet } from './pkt-line.ts';
import { receivePush } from './receive-request.ts';
import type { PushHandler } from './receiver.ts';
import { isReadableEncoding } from './request-body.ts';

/** Who may do what: the token's answer for a project by name. */
export type Authorization = { readonly actor: string; readonly projectId: string } | 'unauthenticated' | 'not-found' | 'not-allowed';

export interface GitHttpOptions {
  readonly repositories: GitRepositories;
  readonly handler: PushHandler;
  /** `project` is the name in the URL, untrusted. */
  readonly authorize: (token: string, project: string) => Promise<Authorization>;
  /** How long a client may be silent when it is its turn; default two minutes. */
  readonly idleMs?: number;
}

/** One request that was let in. */
export interface GitRequest {
  readonly repositories: GitRepositories;
  readonly projectId: string;
  readonly actor: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly idleMs: number;
}

export type GitHttpHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

type Service = 'upload-pack' | 'receive-pack';
interface Target {
  readonly project: string;
  readonly action: 'advertise' | 'serve';
  readonly service: Service;
}

const urlPattern = /^\/git\/([A-Za-z0-9._-]{1,100})\.git\/(info\/refs|git-upload-pack|git-receive-pack)$/;
/** Wants and haves of a fetch. */
const maxFetchBytes = 64 * 1024 * 1024;

/**
 * Serves git's smart HTTP protocol (gitprotocol-http(5)) below `/git/NAME.git` on a plain Node server. Never rejects. Nothing of a
 * body is read before the token was accepted. The server's `requestTimeout` must be 0, or long pushes are cut.
 */
export function createGitHttpHandler(options: GitHttpOptions): GitHttpHandler {
  return async (request, response) => {
    try {
      await handle(options, request, response);
    } catch (error) {
      options.repositories.host.log('git-request-failed', {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
      if (!response.headersSent) refuse(response, 500, 'the server failed; its log says why');
      else response.destroy();
    }
  };
}

async function handle(options: GitHttpOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const target = parseTarget(request);
  if (typeof target === 'string') return refuse(response, target === 'method' ? 405 : target === 'dumb' ? 403 : 404, sayings[target]);
  const token = basicPassword(request.headers.authorization);
  const allowed = token === undefined ? 'unauthenticated' : await options.authorize(token, target.project);
  if (allowed === 'unauthenticated') return refuse(response, 401, 'a token is needed: any user name, the token as password');
  if (allowed === 'not-found') return refuse(response, 404, `there is no project ${target.project}`);
  if (allowed === 'not-allowed') return refuse(response, 403, `this token may not do that with ${target.project}`);
  if (!isReadableEncoding(request)) return refuse(response, 415, 'the body must be plain or gzip');
  const { repositories } = options;
  const git: GitRequest = { repositories, ...allowed, request, response, idleMs: options.idleMs ?? 120_000 };
  if (target.action === 'serve' && target.service === 'receive-pack') return await receivePush(git, options.handler);
  await serve(git, target);
}

const sayings = {
  path: 'there is nothing here; repositories are at /git/PROJECT.git',
  method: 'this method is not allowed here',
  dumb: 'only the smart protocol is served; use a git newer than 1.6.6',
} as const;

function parseTarget(request: IncomingMessage): Target | keyof typeof sayings {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const [, project, action] = urlPattern.exec(path) ?? [];
  if (project === undefined) return 'path';
  if (action === 'info/refs') {
    if (request.method !== 'GET') return 'method';
    const service = new URLSearchParams(query).get('service');
    if (service === 'git-upload-pack') return { project, action: 'advertise', service: 'upload-pack' };
    return service === 'git-receive-pack' ? { project, action: 'advertise', service: 'receive-pack' } : 'dumb';
  }
  if (request.method !== 'POST') return 'method';
  return { project, action: 'serve', service: action === 'git-upload-pack' ? 'upload-pack' : 'receive-pack' };
}

/** The password of `Authorization: Basic …`; undefined where there is none. */
function basicPassword(header: string | undefined): string | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/=]{1,4096})$/i.exec(header ?? '')?.[1];
  const decoded = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 0 || colon === decoded.length - 1 ? undefined : decoded.slice(colon + 1);
}

/** Everything but the push itself: one git that reads and answers. */
async function serve(git: GitRequest, { action, service }: Target): Promise<void> {
  const { repositories, request, response, idleMs } = git;
  const { host } = repositories;
  const protocol = service === 'upload-pack' ? protocolVersion(request) : undefined;
  const advertise = action === 'advertise' ? ['--http-backend-info-refs'] : [];
  const child = host.spawn({
    args: [service, '--stateless-rpc', ...advertise, repositories.path(git.projectId)],
    environment: protocol === undefined ? {} : { GIT_PROTOCOL: protocol },
  });
  // version 2 begins without naming the service
  const named = action === 'advertise' && protocol !== 'version=2';
  await exchange({
    ...{ child, request, response, idleMs, log: host.log },
    contentType: `application/x-git-${service}-${action === 'advertise' ? 'advertisement' : 'result'}`,
    ...(named ? { preamble: Buffer.concat([packet(`# service=git-${service}\n`), Buffer.from('0000')]) } : {}),
    maxBodyBytes: maxFetchBytes,
    onLost: () => host.kill(child),
  });
}

function protocolVersion(request: IncomingMessage): string | undefined {
  const asked = `${request.headers['git-protocol'] ?? ''}`.split(':');
  return ['version=2', 'version=1'].find((version) => asked.includes(version));
}

/** Answers without reading a body; where one is on its way, the connection ends with the answer. */
function refuse(response: ServerResponse, status: number, text: string): void {
  const request = response.req;
  const unread = request.method === 'POST';
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    ...(status === 401 ? { 'www-authenticate': 'Basic realm="Coppice", charset="UTF-8"' } : {}),
    ...(unread ? { connection: 'close' } : {}),
  });
  response.end(`${text}\n`, () => {
    if (unread && !request.complete) request.destroy();
  });
}

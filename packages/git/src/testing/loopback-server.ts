import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGitHttpHandler } from '../git-http-handler.ts';
import { type GitRepositories, openRepositories } from '../open-repositories.ts';
import type { PushContext, PushHandler, PushVerdict, RefResult } from '../receiver.ts';
import { GitClient } from './git-client.ts';

export const token = 'sesame';

/** Moves the refs as it is told and remembers what it saw; tests replace its two steps. */
export class RecordingHandler implements PushHandler {
  readonly prepared: PushContext[] = [];
  readonly deployed: PushContext[] = [];
  onPrepare: (push: PushContext) => Promise<PushVerdict> = async () => ({ kind: 'accepted' });
  onDeploy: (push: PushContext) => Promise<readonly RefResult[]>;

  constructor(repositories: GitRepositories) {
    this.onDeploy = async (push) => {
      const heads = push.updates.filter((update) => update.ref.startsWith('refs/heads/'));
      await repositories.open(push.project).updateRefs(heads);
      return heads.map(({ ref }) => ({ kind: 'ok', ref }));
    };
  }

  async prepare(push: PushContext): Promise<PushVerdict> {
    this.prepared.push(push);
    return await this.onPrepare(push);
  }

  async deploy(push: PushContext): Promise<readonly RefResult[]> {
    this.deployed.push(push);
    return await this.onDeploy(push);
  }
}

export interface LoopbackServer extends AsyncDisposable {
  readonly repositories: GitRepositories;
  readonly handler: RecordingHandler;
  readonly folder: string;
  readonly port: number;
  /** With user and token. */
  readonly remote: string;
  readonly logged: readonly string[];
  /** A working copy of its own, on `main`, with `origin` set. */
  client(name: string): Promise<GitClient>;
  /** What lies in the bare repository's `objects` that is no object. */
  leftovers(): Promise<readonly string[]>;
}

/** A real HTTP server on loopback with one empty project, `shop` with the id `p_1`. */
export async function startLoopbackServer(
  options: { readonly idleMs?: number; readonly maxPackBytes?: number } = {},
): Promise<LoopbackServer> {
  const folder = await mkdtemp(join(tmpdir(), 'coppice-git-'));
  await chmod(folder, 0o755);
  const logged: string[] = [];
  const repositories = await openRepositories({
    directory: join(folder, 'repositories'),
    hooksDirectory: join(folder, 'hooks'),
    log: (event, details) => logged.push(`${event} ${JSON.stringify(details ?? {})}`),
    ...(options.maxPackBytes ? { maxPackBytes: options.maxPackBytes } : {}),
  });
  await repositories.create('p_1');
  const handler = new RecordingHandler(repositories);
  const handle = createGitHttpHandler({
    repositories,
    handler,
    authorize: async (given, project) => {
      if (given === 'reader') return 'not-allowed';
      if (given !== token) return 'unauthenticated';
      return project === 'shop' ? { actor: 'ada', projectId: 'p_1' } : 'not-found';
    },
    ...(options.idleMs ? { idleMs: options.idleMs } : {}),
  });
  const server = createServer({ requestTimeout: 0 }, (request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const remote = `http://git:${token}@127.0.0.1:${port}/git/shop.git`;
  return {
    ...{ repositories, handler, folder, port, remote, logged },
    client: async (name) => {
      const client = new GitClient(join(folder, name));
      await mkdir(client.folder);
      await client.run('init', '--quiet', '--initial-branch=main');
      await client.run('remote', 'add', 'origin', remote);
      return client;
    },
    leftovers: async () => {
      const names = await readdir(join(repositories.path('p_1'), 'objects'));
      return names.filter((name) => !/^(?:[0-9a-f]{2}|info|pack)$/.test(name));
    },
    [Symbol.asyncDispose]: async () => {
      await repositories.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

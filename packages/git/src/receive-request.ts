import type { ChildProcess } from 'node:child_process';
import { Duplex } from 'node:stream';
import { CoppiceError, isCoppiceError } from '@coppice/model';
import { exchange } from './git-exchange.ts';
import type { GitRequest } from './git-http-handler.ts';
import { converse } from './push-conversation.ts';
import type { PushHandler } from './receiver.ts';
import { removeQuarantines } from './sweep.ts';

const stopGraceMs = 2000;
const bodySlackBytes = 64 * 1024 * 1024;

/** Answers `POST git-receive-pack`: one receive-pack whose hooks speak with `handler`. */
export async function receivePush(git: GitRequest, handler: PushHandler): Promise<void> {
  const { repositories, projectId, request, response, idleMs } = git;
  const { host } = repositories;
  const cancel = new AbortController();
  const path = repositories.path(projectId);
  const child = host.spawn({ args: ['receive-pack', '--stateless-rpc', path], extraPipes: 1 });
  const control = extraPipe(child, 3);
  let deploying = false;
  const stop = (why: string): void => {
    cancel.abort(new CoppiceError('cancelled', why));
    // git removes its quarantine when its input or its hook ends early, not when a signal ends it
    if (!deploying) for (const pipe of [child.stdin, control]) pipe?.destroy();
    const timer = setTimeout(() => host.kill(child), stopGraceMs);
    child.once('close', () => clearTimeout(timer));
  };
  const leave = repositories.enter(projectId, () => stop('the server is stopping'));
  try {
    const talk = converse({
      ...{ repositories, handler, project: projectId, actor: git.actor, signal: cancel.signal, control },
      onDeploying: () => {
        deploying = true;
      },
    }).catch((error: unknown) => {
      // no hook spoke: git refused the push by itself, and told the client
      if (!isCoppiceError(error, 'git-failed')) host.log('push-talk-failed', { project: projectId, error: String(error) });
      return 'not deployed' as const;
    });
    await exchange({
      ...{ child, request, response, idleMs, log: host.log },
      contentType: 'application/x-git-receive-pack-result',
      maxBodyBytes: host.settings.maxPackBytes + bodySlackBytes,
      onLost: (why) => {
        if (!deploying) stop(why);
      },
    });
    // whoever prepared learns that nothing will be deployed
    if ((await talk) === 'not deployed') cancel.abort(new CoppiceError('cancelled', 'the push ended'));
  } finally {
    leave();
    if (child.signalCode !== null && !repositories.isReceiving(projectId)) await removeQuarantines(path);
  }
}

function extraPipe(child: ChildProcess, index: number): Duplex {
  const pipe: unknown = child.stdio[index];
  if (!(pipe instanceof Duplex)) throw new CoppiceError('git-failed', 'git did not start');
  // a hook that ends early closes its side; the push is refused then, and git says why
  pipe.on('error', () => pipe.destroy());
  return pipe;
}

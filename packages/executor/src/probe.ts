import { request } from 'node:http';
import { createConnection } from 'node:net';
import type { Engine } from '@coppice/engine';
import type { ObservedInstance, ProbeSpec } from '@coppice/model';

/** One look at a running instance: undefined when it is ready, else what is wrong, for people. Never throws. */
export async function probe(
  engine: Pick<Engine, 'exec'>,
  instance: ObservedInstance,
  spec: ProbeSpec,
  timeoutMs: number,
): Promise<string | undefined> {
  if (instance.state !== 'running' || instance.address === undefined) return 'it does not run';
  const host = instance.address;
  switch (spec.kind) {
    case 'alive':
      return aliveFor(instance) >= spec.forMs ? undefined : `it has not run for ${spec.forMs} ms yet`;
    case 'tcp':
      return await exchange({ host, port: spec.port, timeoutMs, send: '', expect: undefined });
    case 'exchange':
      return await exchange({ host, port: spec.port, timeoutMs, send: spec.send, expect: spec.expect });
    case 'http':
      return await getPath({ host, port: spec.port, path: spec.path, timeoutMs });
    case 'command':
      return await runCommand(engine, instance.id, spec.argv, timeoutMs);
  }
}

function aliveFor(instance: ObservedInstance): number {
  return instance.startedAt === undefined ? 0 : Date.now() - Date.parse(instance.startedAt);
}

interface Exchange {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly send: string;
  /** Undefined: to be connected is enough. */
  readonly expect: readonly string[] | undefined;
}

async function exchange({ host, port, timeoutMs, send, expect }: Exchange): Promise<string | undefined> {
  return await new Promise((resolve) => {
    const socket = createConnection({ host, port });
    let answer = '';
    const end = (wrong: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(wrong);
    };
    const timer = setTimeout(() => end(`port ${port} did not answer within ${timeoutMs} ms`), timeoutMs);
    socket.on('error', (error: NodeJS.ErrnoException) => end(`port ${port}: ${error.code ?? error.message}`));
    socket.on('connect', () => {
      if (expect === undefined) end(undefined);
      else socket.write(send, 'latin1');
    });
    socket.on('data', (data) => {
      answer += data.toString('latin1');
      if (expect?.some((prefix) => answer.startsWith(prefix))) end(undefined);
      else if (expect?.every((prefix) => answer.length >= prefix.length))
        end(`port ${port} answered ${JSON.stringify(answer.slice(0, 80))}`);
    });
    socket.on('close', () =>
      end(`port ${port} closed the connection${answer === '' ? '' : ` after ${JSON.stringify(answer.slice(0, 80))}`}`),
    );
  });
}

async function getPath(target: {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly timeoutMs: number;
}): Promise<string | undefined> {
  const { timeoutMs, ...where } = target;
  return await new Promise((resolve) => {
    const asked = request(
      { ...where, method: 'GET', agent: false, timeout: timeoutMs, headers: { host: 'localhost', 'user-agent': 'coppice-probe' } },
      (answer) => {
        answer.destroy();
        const status = answer.statusCode ?? 0;
        resolve(status >= 200 && status < 400 ? undefined : `GET ${where.path} answered ${status}`);
      },
    );
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(`GET ${where.path}: ${error.code ?? error.message}`));
    asked.end();
  });
}

async function runCommand(
  engine: Pick<Engine, 'exec'>,
  id: string,
  argv: readonly string[],
  timeoutMs: number,
): Promise<string | undefined> {
  try {
    const { exitCode, stderr, stdout } = await engine.exec(id, { argv, timeoutMs });
    return exitCode === 0 ? undefined : `${argv.join(' ')} ended with ${exitCode}: ${(stderr || stdout).trim().slice(0, 200)}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

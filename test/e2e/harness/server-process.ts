import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { until } from './until.ts';

/** The `coppice` command of this checkout. */
export const coppice = fileURLToPath(new URL('../../../bin/coppice', import.meta.url));

export interface ServerLaunch {
  readonly data: string;
  /** host:port of API and git. */
  readonly listen: string;
  /** host:port of the router. */
  readonly router: string;
  /** File that gets both of its streams, appended. */
  readonly log: string;
  readonly env: NodeJS.ProcessEnv;
  /** Further arguments of `coppice server`. */
  readonly args: readonly string[];
}

/** A server that answers. */
export interface ServerProcess {
  readonly child: ChildProcess;
  /** The line it said when it was ready. */
  readonly readyLine: string;
}

/** Starts a server in a session of its own and resolves once it says that it is ready. Throws with its log where it ends or is late. */
export async function launchServer(launch: ServerLaunch): Promise<ServerProcess> {
  const log = openSync(launch.log, 'a');
  const offset = readFileSync(launch.log).length;
  const args = ['server', '--data', launch.data, '--listen', launch.listen, '--router', launch.router, ...launch.args];
  const child = spawn(coppice, args, { detached: true, stdio: ['ignore', log, log], env: launch.env });
  let ended: string | undefined;
  child.on('error', (error) => {
    ended = error.message;
  });
  child.on('exit', (code, signal) => {
    ended = `ended with ${signal ?? code}`;
  });
  const said = (): string => readFileSync(launch.log).subarray(offset).toString('utf8');
  try {
    const readyLine = await until(
      () => {
        if (ended !== undefined) throw new Error(`the server ${ended}`);
        return /^coppice is ready: .*$/m.exec(said())?.[0];
      },
      { what: 'the server is ready', withinMs: 60_000, everyMs: 20 },
    );
    child.unref();
    return { child, readyLine };
  } catch (error) {
    throw new Error(`the server did not start:\n${said().slice(-4000)}`, { cause: error });
  }
}

/** Sends a signal to the server's whole process group and resolves once the server is gone. */
export async function endServer({ child }: ServerProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.ref();
  process.kill(-child.pid, signal);
  await gone;
}

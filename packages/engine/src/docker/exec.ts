import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { CoppiceError } from '@coppice/model';
import type { AttachedProcess, AttachSpec, ExecResult, ExecSpec } from '../engine.ts';
import type { DockerConnection } from './docker-connection.ts';
import { outputFrames } from './output-frames.ts';

const outputLimitBytes = 1024 * 1024;

interface ExecInspection {
  readonly Running: boolean;
  readonly ExitCode: number | null;
  readonly Pid: number;
}

/** Runs a command in a running container. `limit-exceeded` when its time is over; it is killed then. `engine-failed` where it is frozen. */
export async function execCommand(connection: DockerConnection, container: string, spec: ExecSpec): Promise<ExecResult> {
  const id = await createExec(connection, container, {
    argv: spec.argv,
    user: spec.user,
    input: spec.input !== undefined,
    terminal: false,
  });
  const socket = await startExec(connection, id, false);
  const timer = AbortSignal.timeout(spec.timeoutMs);
  const stop = (): void => {
    socket.destroy(new CoppiceError('limit-exceeded', `${spec.argv[0] ?? ''} did not end within ${spec.timeoutMs} ms`));
  };
  timer.addEventListener('abort', stop, { once: true });
  try {
    socket.end(spec.input ?? '');
    const output = await collect(socket);
    const result = { exitCode: await exitCode(connection, id), ...output };
    if (isRefusalOfFrozen(result)) throw new CoppiceError('engine-failed', 'no command can run in an instance while it is frozen');
    return result;
  } catch (error) {
    await killExec(connection, id);
    throw error;
  } finally {
    timer.removeEventListener('abort', stop);
    socket.destroy();
  }
}

/** The engine does not know what is frozen; its runtime does, and says so in the place of the command. */
function isRefusalOfFrozen({ exitCode, stdout, stderr }: ExecResult): boolean {
  return exitCode === 126 && /^OCI runtime exec failed: .*\bpaused\b/.test(stdout + stderr);
}

async function collect(socket: Duplex): Promise<Pick<ExecResult, 'stdout' | 'stderr'>> {
  const parts = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const room = { stdout: outputLimitBytes, stderr: outputLimitBytes };
  for await (const { stream, data } of outputFrames(socket)) {
    const kept = Buffer.from(data.subarray(0, room[stream]));
    room[stream] -= kept.length;
    if (kept.length > 0) parts[stream].push(kept);
  }
  return { stdout: Buffer.concat(parts.stdout).toString('utf8'), stderr: Buffer.concat(parts.stderr).toString('utf8') };
}

/** Runs a command with its streams attached, with or without a terminal. */
export async function attachCommand(connection: DockerConnection, container: string, spec: AttachSpec): Promise<AttachedProcess> {
  const terminal = spec.terminal !== undefined;
  const id = await createExec(connection, container, { argv: spec.argv, user: undefined, input: true, terminal });
  const socket = await startExec(connection, id, terminal);
  const resize = async (columns: number, rows: number): Promise<void> => {
    await connection.json({ method: 'POST', path: `/exec/${id}/resize`, query: { w: String(columns), h: String(rows) }, repeatable: true });
  };
  if (spec.terminal !== undefined) await resize(spec.terminal.columns, spec.terminal.rows);
  const closed = new Promise<void>((resolve) => socket.once('close', resolve));
  const code = async (): Promise<number> => {
    await closed;
    return exitCode(connection, id);
  };
  if (terminal) return { input: socket, stdout: socket, stderr: socket, resize, exitCode: code };
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  void forward(socket, stdout, stderr);
  return { input: socket, stdout, stderr, resize, exitCode: code };
}

async function forward(socket: Duplex, stdout: PassThrough, stderr: PassThrough): Promise<void> {
  try {
    for await (const { stream, data } of outputFrames(socket)) {
      const sink = stream === 'stdout' ? stdout : stderr;
      if (!sink.write(data)) await new Promise((resolve) => sink.once('drain', resolve));
    }
    stdout.end();
    stderr.end();
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    stdout.destroy(failure);
    stderr.destroy(failure);
  }
}

async function createExec(
  connection: DockerConnection,
  container: string,
  spec: { readonly argv: readonly string[]; readonly user: string | undefined; readonly input: boolean; readonly terminal: boolean },
): Promise<string> {
  const created = await connection.json<{ readonly Id: string }>({
    method: 'POST',
    path: `/containers/${container}/exec`,
    body: {
      Cmd: [...spec.argv],
      AttachStdin: spec.input,
      AttachStdout: true,
      AttachStderr: true,
      Tty: spec.terminal,
      Privileged: false,
      ...(spec.user === undefined ? {} : { User: spec.user }),
    },
  });
  return created.Id;
}

function startExec(connection: DockerConnection, id: string, terminal: boolean): Promise<Duplex> {
  return connection.hijack({ method: 'POST', path: `/exec/${id}/start`, body: { Detach: false, Tty: terminal } });
}

/** The output ends a moment before the engine has the exit code. */
async function exitCode(connection: DockerConnection, id: string): Promise<number> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const state = await connection.json<ExecInspection>({ method: 'GET', path: `/exec/${id}/json` });
    if (!state.Running && state.ExitCode !== null) return state.ExitCode;
    if (performance.now() > deadline) throw new CoppiceError('engine-failed', 'a command closed its output but does not end');
    await delay(5);
  }
}

/** The Engine API cannot end an exec; its process is one of this host's, so we can. */
async function killExec(connection: DockerConnection, id: string): Promise<void> {
  const state = await connection.json<ExecInspection>({ method: 'GET', path: `/exec/${id}/json` });
  if (!state.Running || state.Pid <= 1) return;
  try {
    process.kill(state.Pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ESRCH') throw error;
  }
}

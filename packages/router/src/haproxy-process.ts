import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CoppiceError } from '@coppice/model';
import { askSocket } from './runtime-socket.ts';

/** Who HAProxy runs as. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
}

/** How to start it. */
export interface ProcessSpec {
  /** Its working directory; configuration, maps and sockets lie in it. */
  readonly directory: string;
  /** Absolute path, or a name that PATH finds. */
  readonly binary: string;
  /** Undefined: as ourselves. */
  readonly user: ProcessUser | undefined;
  readonly openFiles: number;
  /** True where the port needs the capability to bind below 1024. */
  readonly privilegedPort: boolean;
}

export const masterSocket = 'run/master.sock';

/** The user `haproxy` of the Debian package, or the one given; undefined where we are not root and so cannot change it. */
export function processUser(given: ProcessUser | undefined): ProcessUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  if (given) return given;
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('haproxy:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined)
    throw new CoppiceError('missing-tool', 'there is no user "haproxy" to run the router as', {
      hint: 'install the package haproxy, or give a user',
    });
  return { uid: Number(uid), gid: Number(gid) };
}

/** How many files a child of ours may open, at most 65,536: its limit cannot be raised without a capability. */
export function openFilesLimit(): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  const limit = hard === 'unlimited' ? 65_536 : Number(hard);
  return Number.isInteger(limit) && limit > 0 ? Math.min(limit, 65_536) : 1024;
}

function commandLine(spec: ProcessSpec, rest: readonly string[]): readonly [string, readonly string[]] {
  const limits = ['--core=0', `--nofile=${spec.openFiles}:${spec.openFiles}`];
  if (!spec.user) return ['prlimit', [...limits, spec.binary, ...rest]];
  const capability = spec.privilegedPort ? ['--inh-caps=+net_bind_service', '--ambient-caps=+net_bind_service'] : [];
  const identity = [`--reuid=${spec.user.uid}`, `--regid=${spec.user.gid}`, '--clear-groups', '--no-new-privs', ...capability];
  return ['prlimit', [...limits, 'setpriv', ...identity, spec.binary, ...rest]];
}

/**
 * Starts master and worker in a session of their own, with limits and without privileges, and resolves once `serves` does. Throws
 * `missing-tool`, or `router-failed` with HAProxy's own words.
 */
export async function startProcess(spec: ProcessSpec, serves: () => Promise<boolean>): Promise<void> {
  const [program, args] = commandLine(spec, ['-W', '-S', `unix@${masterSocket},mode,600`, '-f', 'haproxy.cfg', '-p', 'run/haproxy.pid']);
  const child = spawn(program, args, {
    cwd: spec.directory,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  let words = '';
  let ended: string | undefined;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = `${words}${text}`.slice(-2000);
  });
  child.on('error', (error) => {
    ended = error.message;
  });
  child.on('close', (code, signal) => {
    ended ??= `exited with ${signal ?? code}`;
  });
  const deadline = performance.now() + 15_000;
  while (!(await serves())) {
    if (ended !== undefined || performance.now() > deadline) {
      await endProcesses(spec.directory);
      throw startFailure(spec, `${ended ?? 'did not answer within 15 s'}: ${words.trim()}`);
    }
    await pause(10);
  }
  // What it says later, one line per change, would fill a file without end; it lives on without us.
  child.stderr.destroy();
  child.unref();
}

function startFailure(spec: ProcessSpec, why: string): CoppiceError {
  if (/ENOENT|No such file or directory/.test(why) && (why.includes(spec.binary) || why.includes('spawn')))
    return new CoppiceError('missing-tool', `the router cannot be started: ${why}`, { hint: 'npm run setup, or apt-get install haproxy' });
  return new CoppiceError('router-failed', `HAProxy ${why}`);
}

/** Throws `router-failed` with HAProxy's words where it would not accept its configuration. */
export async function checkConfiguration(spec: ProcessSpec): Promise<void> {
  const [program, args] = commandLine(spec, ['-c', '-f', 'haproxy.cfg']);
  const child = spawn(program, args, { cwd: spec.directory, stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env['PATH'] } });
  const chunks: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0)
    throw new CoppiceError('router-failed', `HAProxy refused its configuration: ${Buffer.concat(chunks).toString('utf8').slice(-2000)}`);
}

/** One line of the master's `show proc`. */
export interface WorkerProcess {
  readonly pid: number;
  readonly role: 'master' | 'worker' | 'old worker';
}

/** The processes of our master, or undefined where none answers. */
export async function listProcesses(directory: string): Promise<readonly WorkerProcess[] | undefined> {
  const answer = await askSocket(join(directory, masterSocket), 'show proc');
  if (answer === undefined || answer === '') return undefined;
  const processes: WorkerProcess[] = [];
  let old = false;
  for (const line of answer.split('\n')) {
    if (line.startsWith('#')) old = line.startsWith('# old workers') || (old && !line.startsWith('# programs'));
    const match = /^(\d+)\s+(master|worker)\s/.exec(line);
    if (match?.[1] === undefined) continue;
    processes.push({ pid: Number(match[1]), role: match[2] === 'master' ? 'master' : old ? 'old worker' : 'worker' });
  }
  return processes;
}

/** Pids of processes of this program whose working directory is ours, whether or not they answer. */
export function strayProcesses(directory: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && worksIn(pid, directory));
}

/** Whether that process is of this program, and its working directory ours. */
export function worksIn(pid: number, directory: string): boolean {
  const real = existsSync(directory) ? realpathSync(directory) : resolve(directory);
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === real && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes('haproxy.cfg');
  } catch (error) {
    // Gone meanwhile, or somebody else's: not ours in both cases.
    if (error instanceof Error && 'code' in error && ['ENOENT', 'EACCES', 'EPERM', 'ESRCH'].includes(String(error.code))) return false;
    throw error;
  }
}

/** Ends all processes that work in the directory: asks first, kills after a second. Resolves when none is left. */
export async function endProcesses(directory: string): Promise<void> {
  const started = performance.now();
  for (let pids = strayProcesses(directory); pids.length > 0; pids = strayProcesses(directory)) {
    const elapsed = performance.now() - started;
    if (elapsed > 10_000) throw new CoppiceError('router-failed', `HAProxy does not end: processes ${pids.join(', ')}`);
    for (const pid of pids) signalProcess(pid, elapsed > 1_000 ? 'SIGKILL' : 'SIGTERM');
    await pause(20);
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { CoppiceError } from '@coppice/model';
import { type GitSettings, gitEnvironment } from './git-environment.ts';
import type { GitUser } from './git-user.ts';

/** One structured line about the receiver itself. */
export type Log = (event: string, details?: Readonly<Record<string, unknown>>) => void;

/** How one git process is started. Arguments never hold names from outside, only ids, fixed words and our own paths. */
export interface GitSpawn {
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** How many duplex pipes the child gets from descriptor 3 on; its hooks inherit them. */
  readonly extraPipes?: number;
}

/** One git process that runs to its end. */
export interface GitRun extends GitSpawn {
  readonly input?: string | Buffer;
}

export interface GitResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  /** Trimmed, at most 64 KiB. */
  readonly stderr: string;
}

const limits = ['--as=2147483648', '--cpu=1800', '--core=0', '--nofile=1024', '--'];
const runTimeoutMs = 120_000;
const maxStdoutBytes = 64 * 1024 * 1024;
const maxStderrBytes = 64 * 1024;
const killAfterMs = 2000;

/** Starts git with a fixed environment, as its own user, in a process group of its own, under limits on memory, CPU time and files. */
export class GitHost {
  readonly log: Log;
  readonly #settings: GitSettings;
  readonly #user: GitUser | undefined;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #children = new Set<ChildProcess>();
  #closed = false;

  constructor(options: { readonly settings: GitSettings; readonly user: GitUser | undefined; readonly log: Log }) {
    this.log = options.log;
    this.#settings = options.settings;
    this.#user = options.user;
    this.#environment = gitEnvironment(options.settings);
  }

  get settings(): GitSettings {
    return this.#settings;
  }

  get user(): GitUser | undefined {
    return this.#user;
  }

  /** Starts a process whose pipes the caller serves. Throws `git-failed` after `end`. */
  spawn(start: GitSpawn): ChildProcess {
    if (this.#closed) throw new CoppiceError('git-failed', 'the server is stopping');
    const child = spawn('prlimit', [...limits, 'git', ...start.args], {
      cwd: this.#settings.directory,
      env: { ...this.#environment, ...start.environment },
      stdio: ['pipe', 'pipe', 'pipe', ...Array.from({ length: start.extraPipes ?? 0 }, () => 'pipe' as const)],
      detached: true,
      ...(this.#user ? { uid: this.#user.uid, gid: this.#user.gid } : {}),
    });
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
    // met as an exit code by whoever waits for 'close'
    child.on('error', (error) => {
      this.#children.delete(child);
      this.log('git-spawn-failed', { message: error.message });
    });
    // a child that ends early closes its input; its exit says why
    child.stdin?.on('error', () => child.stdin?.destroy());
    return child;
  }

  /** Runs git to its end and collects what it says. Throws `git-failed` when it cannot start, takes too long or says too much. */
  async run(run: GitRun): Promise<GitResult> {
    const child = this.spawn(run);
    const timer = setTimeout(() => this.kill(child), runTimeoutMs);
    child.stdin?.end(run.input ?? '');
    try {
      const [stdout, stderr, exitCode] = await Promise.all([
        collect(child.stdout, maxStdoutBytes, () => this.kill(child)),
        collect(child.stderr, maxStderrBytes, () => undefined),
        exitCodeOf(child),
      ]);
      if (stdout.cut) throw new CoppiceError('git-failed', `git ${run.args[0]} said more than ${maxStdoutBytes} bytes`);
      return { exitCode, stdout: stdout.bytes, stderr: stderr.bytes.toString('utf8').trim() };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Like `run`, but throws `git-failed` with git's own words where it fails. */
  async expect(run: GitRun): Promise<Buffer> {
    const result = await this.run(run);
    if (result.exitCode === 0) return result.stdout;
    throw new CoppiceError('git-failed', `git ${run.args[0]} failed (${result.exitCode}): ${result.stderr || 'without a word'}`);
  }

  /** Ends a child and all it started: politely, so that it removes its locks and quarantine, then for good. */
  kill(child: ChildProcess): void {
    signalGroup(child, 'SIGTERM');
    const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), killAfterMs);
    child.once('close', () => clearTimeout(timer));
  }

  /** Ends all children and starts no more; resolves when they are gone. */
  async end(): Promise<void> {
    this.#closed = true;
    await Promise.all(
      [...this.#children].map((child) => {
        const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
        this.kill(child);
        return gone;
      }),
    );
  }
}

/** The exit code of a child once its pipes are closed too; 255 where a signal ended it or it never started. */
export async function exitCodeOf(child: ChildProcess): Promise<number> {
  return await new Promise((resolve) => {
    child.once('close', (code) => resolve(code ?? 255));
    child.once('error', () => resolve(255));
  });
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

async function collect(
  stream: NodeJS.ReadableStream | null,
  maxBytes: number,
  onCut: () => void,
): Promise<{ readonly bytes: Buffer; readonly cut: boolean }> {
  const chunks: Buffer[] = [];
  let length = 0;
  let cut = false;
  for await (const chunk of stream ?? []) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    length += bytes.length;
    if (length <= maxBytes) chunks.push(bytes);
    else if (!cut) {
      cut = true;
      onCut();
    }
  }
  return { bytes: Buffer.concat(chunks), cut };
}

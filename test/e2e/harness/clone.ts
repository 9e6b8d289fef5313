import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mustRun, type ProgramResult, runProgram } from './run-program.ts';

/** What a push said: git's exit code, and both of its streams together. */
export interface PushResult {
  readonly code: number;
  readonly output: string;
}

export interface PushFlags {
  /** Push options, `-o`. */
  readonly options?: readonly string[];
  readonly force?: boolean;
}

/** Files by path; null removes one. */
export type FileTexts = Readonly<Record<string, string | Uint8Array | null>>;

/** A working copy with the real git client, which sees no settings of whoever runs the tests. */
export class Clone {
  readonly folder: string;
  readonly #home: string;

  private constructor(home: string) {
    this.#home = home;
    this.folder = join(home, 'clone');
  }

  /** An empty repository on branch `main` below `parent`, with `remote` as origin; with the files of an example where one is named. */
  static async create(parent: string, remote: string, example?: string): Promise<Clone> {
    const clone = new Clone(mkdtempSync(join(parent, 'clone-')));
    mkdirSync(clone.folder);
    await clone.git('init', '--quiet', '--initial-branch=main');
    await clone.git('remote', 'add', 'origin', remote);
    if (example === undefined) return clone;
    const source = new URL(`../../../examples/${example}/`, import.meta.url).pathname;
    cpSync(source, clone.folder, { recursive: true, filter: (path) => !path.includes('node_modules') });
    return clone;
  }

  /** A fresh clone of what the remote has. */
  static async of(parent: string, remote: string): Promise<Clone> {
    const clone = new Clone(mkdtempSync(join(parent, 'clone-')));
    await mustRun('git', ['clone', '--quiet', remote, clone.folder], { env: clone.#environment() });
    return clone;
  }

  /** Runs git; throws where it fails. Resolves with its output, trimmed. */
  async git(...args: readonly string[]): Promise<string> {
    return (await mustRun('git', args, { cwd: this.folder, env: this.#environment() })).trim();
  }

  /** Runs git, whatever comes of it. */
  async tryGit(...args: readonly string[]): Promise<ProgramResult> {
    return await runProgram('git', args, { cwd: this.folder, env: this.#environment() });
  }

  write(files: FileTexts): void {
    for (const [path, content] of Object.entries(files)) {
      const full = join(this.folder, path);
      if (content === null) rmSync(full);
      else {
        mkdirSync(dirname(full), { recursive: true });
        writeFileSync(full, content);
      }
    }
  }

  /** Text of a file in the working copy. */
  async read(path: string): Promise<string> {
    return await readFile(join(this.folder, path), 'utf8');
  }

  /** Writes files and commits all there is; resolves with the commit. */
  async commit(files: FileTexts = {}, message = 'change'): Promise<string> {
    this.write(files);
    await this.git('add', '--all');
    await this.git('commit', '--quiet', '--allow-empty', '--message', message);
    return await this.git('rev-parse', 'HEAD');
  }

  /** Pushes refspecs to origin; HEAD's branch where none is given. */
  async push(refspecs: string | readonly string[] = 'HEAD', { options = [], force = false }: PushFlags = {}): Promise<PushResult> {
    const flags = [...options.flatMap((option) => ['-o', option]), ...(force ? ['--force'] : [])];
    const refs = typeof refspecs === 'string' ? [refspecs] : refspecs;
    const { code, stdout, stderr } = await this.tryGit('push', ...flags, 'origin', ...refs);
    return { code, output: `${stdout}${stderr}` };
  }

  /** Starts a push in a process group of its own, to be killed. */
  startPush(refspec: string): { kill(signal: NodeJS.Signals): void } {
    const child = spawn('git', ['push', 'origin', refspec], {
      cwd: this.folder,
      env: this.#environment(),
      stdio: 'ignore',
      detached: true,
    });
    return { kill: (signal) => void (child.pid === undefined || process.kill(-child.pid, signal)) };
  }

  /** Commits files and pushes HEAD's branch; throws with what git said unless that was accepted. Resolves with the commit. */
  async deploy(files: FileTexts = {}, flags: PushFlags = {}): Promise<{ readonly commit: string; readonly output: string }> {
    const commit = await this.commit(files);
    const { code, output } = await this.push('HEAD', flags);
    if (code !== 0) throw new Error(`the push was refused:\n${output}`);
    return { commit, output };
  }

  #environment(): NodeJS.ProcessEnv {
    const person = { NAME: 'Tester', EMAIL: 'tester@example.com' };
    return {
      PATH: process.env['PATH'],
      HOME: this.#home,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      GIT_AUTHOR_NAME: person.NAME,
      GIT_AUTHOR_EMAIL: person.EMAIL,
      GIT_COMMITTER_NAME: person.NAME,
      GIT_COMMITTER_EMAIL: person.EMAIL,
      LC_ALL: 'C.UTF-8',
    };
  }
}

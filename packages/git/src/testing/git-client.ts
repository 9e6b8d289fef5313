import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface ClientResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real git client in one working copy, without the host's configuration. */
export class GitClient {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Runs git; never throws for its exit code. */
  async try(args: readonly string[], input: string | Buffer = ''): Promise<ClientResult> {
    return await this.#start(args, input, () => undefined);
  }

  /** The same, and tells what git said on standard error so far, whenever it says more. */
  async stream(args: readonly string[], onSaid: (text: string) => void): Promise<ClientResult> {
    return await this.#start(args, '', onSaid);
  }

  async #start(args: readonly string[], input: string | Buffer, onSaid: (text: string) => void): Promise<ClientResult> {
    const child = spawn('git', args, {
      cwd: this.folder,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: '/nonexistent',
        LC_ALL: 'C',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_TERMINAL_PROMPT: '0',
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'gc.auto',
        GIT_CONFIG_VALUE_0: '0',
        GIT_AUTHOR_NAME: 'Ada',
        GIT_AUTHOR_EMAIL: 'ada@example.com',
        GIT_COMMITTER_NAME: 'Ada',
        GIT_COMMITTER_EMAIL: 'ada@example.com',
        GIT_ALLOW_PROTOCOL: 'http:file',
      },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      onSaid(stderr);
    });
    child.stdin.on('error', () => child.stdin.destroy());
    child.stdin.end(input);
    const exitCode = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 255)));
    return { exitCode, stdout, stderr };
  }

  /** Runs git; throws where it fails. Answers what it printed, trimmed. */
  async run(...args: readonly string[]): Promise<string> {
    const result = await this.try(args);
    if (result.exitCode !== 0) throw new Error(`git ${args.join(' ')}: ${result.stderr}`);
    return result.stdout.trim();
  }

  async write(path: string, content: string | Buffer): Promise<void> {
    await mkdir(dirname(join(this.folder, path)), { recursive: true });
    await writeFile(join(this.folder, path), content);
  }

  /** Commits the file and answers the commit's id. */
  async commit(path: string, content: string | Buffer, message = 'Change'): Promise<string> {
    await this.write(path, content);
    await this.run('add', '--all');
    await this.run('commit', '--quiet', '--message', message);
    return await this.run('rev-parse', 'HEAD');
  }

  /** Stores an object as it is, without git's own checks. */
  async store(type: string, content: Buffer): Promise<string> {
    const result = await this.try(['hash-object', '-w', '--literally', '-t', type, '--stdin'], content);
    if (result.exitCode !== 0) throw new Error(result.stderr);
    return result.stdout.trim();
  }

  /** A commit of that tree without parents; no ref moves. */
  async commitOf(tree: string): Promise<string> {
    return await this.run('commit-tree', '-m', 'Tree', tree);
  }
}

import type { Sandbox, SandboxResult, SandboxRun } from '@coppice/engine';
import { CoppiceError } from '@coppice/model';

/** What a command does to the folder that is its /app; resolves with its exit code, 0 where it says nothing. */
export type FakeCommand = (app: string, run: SandboxRun) => Promise<number | undefined | SandboxResult>;

/** A sandbox that runs functions instead of commands, by their text. */
export class FakeSandbox implements Sandbox {
  readonly runs: SandboxRun[] = [];
  private readonly commands: Readonly<Record<string, FakeCommand>>;

  constructor(commands: Readonly<Record<string, FakeCommand>>) {
    this.commands = commands;
  }

  async run(run: SandboxRun): Promise<SandboxResult> {
    this.runs.push(run);
    const command = this.commands[run.argv[2] ?? ''];
    const app = run.mounts.find((mount) => mount.target === '/app')?.hostPath;
    if (!command || app === undefined) throw new Error(`not a known command: ${run.argv.join(' ')}`);
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(new CoppiceError('cancelled', 'the command was ended'));
    run.signal?.addEventListener('abort', abort, { once: true });
    try {
      const result = (await Promise.race([command(app, run), aborted.promise])) ?? 0;
      return typeof result === 'number' ? { exitCode: result, outOfMemory: false } : result;
    } finally {
      run.signal?.removeEventListener('abort', abort);
    }
  }

  async sweep(): Promise<void> {}
}

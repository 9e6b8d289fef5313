import { appendFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServerSettings, TestServer, until } from '../e2e/harness.ts';

export interface FaultSettings extends ServerSettings {
  /** 1 where missing, see FaultServer. */
  readonly slack?: number | undefined;
}

/** A test server that can be told to kill itself after its N-th effect from now on, and to take another time for the right one. */
export class FaultServer {
  readonly server: TestServer;
  /** How many times as long as on a machine of its own everything may take. */
  readonly slack: number;
  readonly #folder: string;

  private constructor(server: TestServer, folder: string, slack: number) {
    this.server = server;
    this.#folder = folder;
    this.slack = slack;
  }

  static async start({ slack = 1, ...settings }: FaultSettings = {}): Promise<FaultServer> {
    const folder = mkdtempSync(join(tmpdir(), 'coppice-faults-'));
    const own = {
      COPPICE_KILL_AT: join(folder, 'kill-at'),
      COPPICE_KILL_LOG: join(folder, 'effects'),
      COPPICE_CLOCK_SHIFT_FILE: join(folder, 'clock-shift'),
    };
    return new FaultServer(await TestServer.start({ ...settings, variables: { ...settings.variables, ...own } }), folder, slack);
  }

  /** Kills the server after so many effects from now on. */
  killAfter(effects: number): void {
    const file = join(this.#folder, 'kill-at');
    writeFileSync(`${file}.new`, String(effects));
    renameSync(`${file}.new`, file);
  }

  /** Takes `killAfter` back. */
  spare(): void {
    rmSync(join(this.#folder, 'kill-at'), { force: true });
  }

  /** Sets the server's wall clock off by so many milliseconds; 0 sets it right. */
  shiftClock(ms: number): void {
    const file = join(this.#folder, 'clock-shift');
    writeFileSync(`${file}.new`, String(ms));
    renameSync(`${file}.new`, file);
  }

  /** Names of all effects since the last call. */
  takeEffects(): readonly string[] {
    const file = join(this.#folder, 'effects');
    if (!existsSync(file)) return [];
    const names = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    writeFileSync(file, '');
    return names;
  }

  get isAlive(): boolean {
    try {
      return this.server.pid !== undefined && process.kill(this.server.pid, 0);
    } catch {
      return false;
    }
  }

  /** Resolves once the server is gone. */
  async dead(): Promise<void> {
    await until(() => !this.isAlive, { what: 'the server is dead', everyMs: 5 });
  }

  /** Starts it again; what it says goes on in the same log. */
  async launch(): Promise<void> {
    appendFileSync(join(this.server.folder, 'server.log'), '── launched again\n');
    await this.server.launch();
  }

  async stop(): Promise<void> {
    this.spare();
    await this.server.stop();
    rmSync(this.#folder, { recursive: true });
  }
}

import { setTimeout as pause } from 'node:timers/promises';
import type { TestServer } from '../e2e/harness.ts';
import { type Bounds, numberedState, wrongWith } from './numbered-application.ts';

/** Between two tries of a number that was not answered. */
const againMs = 50;
/** A command that brings data back has ended only once that is served. */
const rewindMs = 120_000;

/** Writes number after number into one environment until it is stopped, each once the one before was answered. */
export class NumberedWriter {
  readonly #server: TestServer;
  readonly #host: string;
  readonly #wrong: string[] = [];
  #answered = 0;
  #sent = 0;
  #requests = 0;
  #rewind: { readonly bounds: Bounds; readonly done: (wrong: readonly string[]) => void } | undefined;
  #stopping = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(server: TestServer, host: string) {
    this.#server = server;
    this.#host = host;
  }

  /** The last number that was answered, and the last that was sent. */
  get bounds(): Bounds {
    return { answered: this.#answered, sent: this.#sent };
  }

  get requests(): number {
    return this.#requests;
  }

  /** What failed or was lost so far, a line each. */
  get wrong(): readonly string[] {
    return this.#wrong;
  }

  start(): void {
    this.#ended = this.#run();
  }

  /** Resolves once nothing is under way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#ended;
  }

  /**
   * The environment is about to go back to a number within the bounds: resolves once the writer found it back and goes on from there, with
   * what is wrong with what it found. Waits two minutes at most.
   */
  async rewound(bounds: Bounds): Promise<readonly string[]> {
    const { promise, resolve } = Promise.withResolvers<readonly string[]>();
    this.#rewind = { bounds, done: resolve };
    return await Promise.race([promise, pause(rewindMs, ['the environment did not go back'], { ref: false })]);
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const next = this.#answered + 1;
      this.#sent = Math.max(this.#sent, next);
      this.#requests += 1;
      const answer = await this.#ask(next);
      if (answer === 'written') this.#answered = next;
      else if (answer === 'refused') await this.#refused(next);
      else {
        this.#wrong.push(`${next}: ${answer.failure}`);
        await pause(againMs);
      }
    }
  }

  async #ask(n: number): Promise<'written' | 'refused' | { readonly failure: string }> {
    try {
      const { status, body } = await this.#server.request(this.#host, `/append?n=${n}`, { method: 'POST', timeoutMs: 60_000 });
      if (status === 200) return 'written';
      return status === 409 ? 'refused' : { failure: `status ${status} ${body}` };
    } catch (error) {
      return { failure: String(error) };
    }
  }

  /** Not the next number: it was written without an answer, or the environment went back, or it lost something. */
  async #refused(n: number): Promise<void> {
    const state = await numberedState(this.#server, this.#host);
    const rewind = this.#rewind;
    this.#rewind = undefined;
    const wrong = wrongWith(state, rewind?.bounds ?? this.bounds).map((line) => `${n} was refused: ${line}`);
    if (!rewind) this.#wrong.push(...wrong);
    this.#answered = state.keys.last;
    this.#sent = state.keys.last;
    rewind?.done(wrong);
  }
}

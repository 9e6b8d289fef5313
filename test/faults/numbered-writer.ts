import { setTimeout as pause } from 'node:timers/promises';
import type { TestServer } from '../e2e/harness.ts';
import { type Bounds, type NumberedState, numberedState, wrongWith } from './numbered-application.ts';

/** Between two tries of a number that was not answered. */
const againMs = 50;

/** Writes number after number into one environment until it is stopped, each once the one before was answered. */
export class NumberedWriter {
  readonly #server: TestServer;
  readonly #host: string;
  readonly #wrong: string[] = [];
  #answered = 0;
  #sent = 0;
  #requests = 0;
  #rewind: { readonly bounds: Bounds; readonly done: () => void } | undefined;
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
   * The environment is about to go back to a number within the bounds: resolves once the writer found it there, looked whether all before it
   * is there, and went on from it.
   */
  async rewound(bounds: Bounds): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#rewind = { bounds, done: resolve };
    await Promise.race([promise, this.#ended]);
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
    const state: NumberedState = await numberedState(this.#server, this.#host);
    const bounds = this.#rewind?.bounds ?? { answered: this.#answered, sent: this.#sent };
    this.#wrong.push(...wrongWith(state, bounds).map((line) => `${n} was refused: ${line}`));
    this.#answered = state.keys.last;
    this.#sent = state.keys.last;
    this.#rewind?.done();
    this.#rewind = undefined;
  }
}

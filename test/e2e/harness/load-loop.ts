import { routerRequest } from './router-request.ts';

/** What a steady stream of requests met. */
export interface LoadReport {
  readonly requests: number;
  /** Each request without an answer of 200, as a line; at most 20. */
  readonly failures: readonly string[];
  /** Bodies in the order they were first seen. */
  readonly bodies: readonly string[];
}

/** Where requests go: the address of a router. */
export interface Target {
  readonly routerAddress: string;
}

/** Asks one host again and again, four at a time, until it is stopped. */
export class LoadLoop {
  readonly #failures: string[] = [];
  readonly #bodies = new Set<string>();
  readonly #lanes: readonly Promise<void>[];
  #requests = 0;
  #stopped = false;

  private constructor(target: Target, host: string, path: string) {
    this.#lanes = Array.from({ length: 4 }, () => this.#run(target, host, path));
  }

  static start(target: Target, host: string, path = '/'): LoadLoop {
    return new LoadLoop(target, host, path);
  }

  /** Requests answered so far. */
  get requests(): number {
    return this.#requests;
  }

  /** Resolves when the last requests are answered. */
  async stop(): Promise<LoadReport> {
    this.#stopped = true;
    await Promise.all(this.#lanes);
    return { requests: this.#requests, failures: this.#failures.slice(0, 20), bodies: [...this.#bodies] };
  }

  async #run({ routerAddress }: Target, host: string, path: string): Promise<void> {
    while (!this.#stopped) {
      try {
        const answer = await routerRequest(routerAddress, host, path);
        if (answer.status === 200) this.#bodies.add(answer.body);
        else this.#failures.push(`${answer.status} ${answer.body.slice(0, 200)}`);
      } catch (error) {
        this.#failures.push(String(error));
      }
      this.#requests += 1;
    }
  }
}

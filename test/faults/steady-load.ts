import { Agent, request as httpRequest } from 'node:http';

export interface LoadSettings {
  /** host:port of the router. */
  readonly address: string;
  readonly host: string;
  /** Requests begun per second, evenly spaced, whether or not earlier ones were answered; every second one is a POST. */
  readonly perSecond: number;
  readonly path?: string;
}

/** What became of the requests of a load. Times are from when a request was due, so a stall counts for all that should have begun in it. */
export interface LoadReport {
  readonly sent: number;
  /** Not answered, or not by a status below 400: what went wrong, a few of them. */
  readonly lost: readonly string[];
  /** Ids of POSTs that were answered. */
  readonly posted: readonly string[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
}

/** A load that goes on until it is stopped, over connections kept alive. */
export class SteadyLoad {
  readonly #settings: LoadSettings;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });
  readonly #timesMs: number[] = [];
  readonly #lost: string[] = [];
  readonly #posted: string[] = [];
  readonly #open = new Set<Promise<void>>();
  readonly #name: string;
  #sent = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(settings: LoadSettings) {
    this.#settings = settings;
    this.#name = `${process.pid}-${Math.round(performance.now())}`;
  }

  start(): void {
    const startedMs = performance.now();
    const everyMs = 1_000 / this.#settings.perSecond;
    const tick = (): void => {
      for (; startedMs + this.#sent * everyMs <= performance.now(); this.#sent += 1)
        this.#begin(this.#sent, startedMs + this.#sent * everyMs);
      this.#timer = setTimeout(tick, 1);
    };
    tick();
  }

  /** Forgets what was measured so far; what is open counts for what comes. */
  reset(): void {
    this.#timesMs.length = 0;
  }

  /** Of what was answered since the last reset. */
  times(): Pick<LoadReport, 'p50Ms' | 'p99Ms' | 'longestMs'> {
    const sorted = [...this.#timesMs].sort((a, b) => a - b);
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return { p50Ms: at(0.5), p99Ms: at(0.99), longestMs: at(1) };
  }

  /** Milliseconds of every answer since the last reset. */
  all(): readonly number[] {
    return [...this.#timesMs];
  }

  /** Ends it; resolves once all are answered. */
  async stop(): Promise<LoadReport> {
    clearTimeout(this.#timer);
    await Promise.all(this.#open);
    this.#agent.destroy();
    return { sent: this.#sent, lost: this.#lost, posted: this.#posted, ...this.times() };
  }

  #begin(index: number, dueMs: number): void {
    const id = `${this.#name}-${index}`;
    const isPost = index % 2 === 1;
    const done = this.#ask(id, isPost).then(
      (status) => {
        this.#timesMs.push(performance.now() - dueMs);
        if (status >= 400) this.#lost.push(`${isPost ? 'POST' : 'GET'} ${id}: status ${status}`);
        else if (isPost) this.#posted.push(id);
      },
      (error: Error & { code?: string }) => void this.#lost.push(`${isPost ? 'POST' : 'GET'} ${id}: ${error.code ?? error.message}`),
    );
    this.#open.add(done);
    void done.finally(() => this.#open.delete(done));
  }

  #ask(id: string, isPost: boolean): Promise<number> {
    const { address, host, path = '/' } = this.#settings;
    const [hostname, port] = address.split(':');
    return new Promise((resolve, reject) => {
      const asked = httpRequest(
        { hostname, port, path, agent: this.#agent, method: isPost ? 'POST' : 'GET', headers: { host }, timeout: 120_000 },
        (answer) => {
          answer.resume();
          answer.on('end', () => resolve(answer.statusCode ?? 0));
          answer.on('error', reject);
        },
      );
      asked.on('timeout', () => asked.destroy(new Error('no answer within 120 s')));
      asked.on('error', reject);
      asked.end(isPost ? id : undefined);
    });
  }
}

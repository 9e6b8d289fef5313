import type { TestServer } from '../harness.ts';

/** All that the API tells of events from now on, until it is stopped. */
export class EventRecord {
  readonly #controller = new AbortController();
  #text = '';

  /** Resolves once the server listens for us. */
  static async start(server: TestServer): Promise<EventRecord> {
    const record = new EventRecord();
    const answer = await server.api('/v1/events', { signal: record.#controller.signal });
    void record.#read(answer);
    return record;
  }

  get text(): string {
    return this.#text;
  }

  stop(): void {
    this.#controller.abort();
  }

  async #read({ body }: Response): Promise<void> {
    try {
      for await (const chunk of body ?? []) this.#text += Buffer.from(chunk).toString('utf8');
    } catch (error) {
      if (!this.#controller.signal.aborted) throw error;
    }
  }
}

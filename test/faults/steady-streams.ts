import { type ClientRequest, request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { LoadSettings } from './steady-load.ts';

/** What became of streams that were opened again whenever they ended. */
export interface StreamsReport {
  readonly opened: number;
  /** That ended otherwise than the protocol says: without a last chunk, or without a close frame. */
  readonly broken: readonly string[];
}

const settleMs = 20;

/** Event streams and WebSockets that stay open; each is opened again when it ends. */
export class SteadyStreams {
  readonly #settings: Pick<LoadSettings, 'address' | 'host'>;
  readonly #broken: string[] = [];
  readonly #open = new Set<{ destroy(): void }>();
  #opened = 0;
  #stopped = false;

  constructor(settings: Pick<LoadSettings, 'address' | 'host'>) {
    this.#settings = settings;
  }

  /** Opens so many of each. */
  start(count: number): void {
    for (let index = 0; index < count; index += 1) {
      this.#openEventStream();
      this.#openWebSocket();
    }
  }

  /** Leaves all of them. */
  stop(): StreamsReport {
    this.#stopped = true;
    for (const open of this.#open) open.destroy();
    return { opened: this.#opened, broken: this.#broken };
  }

  #openEventStream(): void {
    const asked = this.#request('/stream', {});
    const ended = this.#once(asked, 'event stream', () => this.#openEventStream());
    asked.on('response', (answer) => {
      if (answer.statusCode !== 200) ended(`status ${answer.statusCode}`);
      answer.resume();
      answer.on('end', () => ended(undefined));
      answer.on('error', (error) => ended(error.message));
    });
    asked.on('upgrade', () => ended('upgraded'));
    asked.end();
  }

  #openWebSocket(): void {
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'c3RlYWR5IHN0cmVhbXMhIQ==',
    };
    const asked = this.#request('/socket', headers);
    const ended = this.#once(asked, 'WebSocket', () => this.#openWebSocket());
    asked.on('response', (answer) => ended(`status ${answer.statusCode}`));
    asked.on('upgrade', (_, socket: Socket) => {
      let last = Buffer.alloc(0);
      this.#open.add(socket);
      socket.on('data', (bytes) => {
        last = Buffer.concat([last, bytes]).subarray(-4);
      });
      // A close frame with the status 1001, going away: RFC 6455, sections 5.5.1 and 7.4.1.
      socket.on('close', () => {
        this.#open.delete(socket);
        ended(last.equals(Buffer.from([0x88, 0x02, 0x03, 0xe9])) ? undefined : `no close frame but ${last.toString('hex')}`);
      });
      socket.on('error', () => undefined);
    });
    asked.end();
  }

  #request(path: string, headers: Readonly<Record<string, string>>): ClientRequest {
    const [hostname, port] = this.#settings.address.split(':');
    const asked = httpRequest({ hostname, port, path, agent: false, headers: { host: this.#settings.host, ...headers } });
    this.#opened += 1;
    this.#open.add(asked);
    asked.on('close', () => this.#open.delete(asked));
    return asked;
  }

  /** Notes how one ended, once, and opens the next. */
  #once(asked: ClientRequest, what: string, again: () => void): (wrong: string | undefined) => void {
    let over = false;
    const end = (wrong: string | undefined): void => {
      if (over || this.#stopped) return;
      over = true;
      if (wrong !== undefined) this.#broken.push(`${what}: ${wrong}`);
      setTimeout(() => this.#stopped || again(), settleMs);
    };
    asked.on('error', (error) => end(error.message));
    return end;
  }
}

import { rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';

/**
 * A socket of our own in front of the engine's, for a server to use as DOCKER_HOST: taken away and put back, it is an engine that
 * stops and starts again (with live-restore: containers go on), without touching the machine's.
 */
export class EngineSocket {
  readonly path: string;
  readonly #engine: string;
  readonly #open = new Set<Socket>();
  #server: Server | undefined;

  constructor(path: string, engine = '/var/run/docker.sock') {
    this.path = path;
    this.#engine = engine;
  }

  /** For DOCKER_HOST. */
  get host(): string {
    return `unix://${this.path}`;
  }

  async open(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (near) => {
      const far = createConnection({ path: this.#engine, allowHalfOpen: true });
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#open.add(socket);
        socket.on('close', () => this.#open.delete(socket));
        socket.on('error', () => other.destroy());
        socket.pipe(other);
      }
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(this.path, resolve));
  }

  /** Breaks what is open and answers no more. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#open) socket.destroy();
    await closed;
    rmSync(this.path, { force: true });
  }
}

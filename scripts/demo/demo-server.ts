import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { run } from './run.ts';

/** A demo server that answers. */
export interface DemoServer {
  readonly api: string;
  readonly router: string;
  readonly token: string;
}

const coppice = join(import.meta.dirname, '..', '..', 'bin', 'coppice');
const startDeadlineMs = 30_000;

/** Starts a server on the data directory in a session of its own, after taking down the one of an earlier run. Default ports, or free ones. */
export async function startDemoServer(data: string): Promise<DemoServer> {
  removeDemo(data);
  mkdirSync(data, { recursive: true, mode: 0o755 });
  const log = join(data, 'server.log');
  const output = openSync(log, 'a');
  const listen = `127.0.0.1:${await freePort(7070)}`;
  const router = `127.0.0.1:${await freePort(8080)}`;
  const child = spawn(coppice, ['server', '--data', data, '--listen', listen, '--router', router], {
    detached: true,
    stdio: ['ignore', output, output],
  });
  child.unref();
  const deadline = performance.now() + startDeadlineMs;
  for (;;) {
    const ready = /^coppice is ready: api=(\S+) router=(\S+)/m.exec(readFileSync(log, 'utf8'));
    if (ready?.[1] && ready[2]) return { api: ready[1], router: ready[2], token: readFileSync(join(data, 'admin-token'), 'utf8').trim() };
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error(`the server did not start; ${log} says:\n${readFileSync(log, 'utf8')}`);
    await pause(50);
  }
}

/** Stops the demo's server, removes all it ran, and its directory. Nothing where there is none. */
export function removeDemo(data: string): void {
  if (!existsSync(data)) return;
  run(coppice, ['server', 'down', '--data', data], { quiet: true });
  rmSync(data, { recursive: true, force: true });
}

async function freePort(wanted: number): Promise<number> {
  return (await tryListen(wanted)) ?? (await tryListen(0)) ?? wanted;
}

async function tryListen(port: number): Promise<number | undefined> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}

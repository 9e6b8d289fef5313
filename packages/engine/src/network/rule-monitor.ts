import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

/** Between a change and the look at it, since changes come in bursts. */
const settleMs = 300;
/** A look without a change: what the monitor missed while it was started again. */
const restMs = 60_000;
const againMs = 1_000;

/** Yields when the rules of a table may have changed, whoever changed them; nothing runs in between. Ends with the signal. */
export async function* ruleChanges(table: string, signal: AbortSignal): AsyncGenerator<void> {
  while (!signal.aborted) {
    // It must not outlive us.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'nft', 'monitor'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    });
    const end = (): void => void child.kill();
    signal.addEventListener('abort', end, { once: true });
    try {
      yield* changesOf(child, table, signal);
    } finally {
      signal.removeEventListener('abort', end);
      child.kill();
    }
    await pause(againMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

async function* changesOf(child: ChildProcess, table: string, signal: AbortSignal): AsyncGenerator<void> {
  const { stdout } = child;
  if (!stdout) return;
  let ended = false;
  let changed = false;
  let ring = (): void => undefined;
  const tell = (): void => ring();
  child.on('error', () => undefined);
  child.on('close', () => {
    ended = true;
    tell();
  });
  stdout.setEncoding('utf8').on('data', (text: string) => {
    // Cut between two pieces, a name is missed; what a change says names the table many times.
    changed ||= text.includes(table);
    if (changed) tell();
  });
  signal.addEventListener('abort', tell, { once: true });
  if (child.pid === undefined) await once(child, 'close').catch(() => undefined);
  while (!ended && !signal.aborted) {
    if (!changed)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, restMs).unref();
        ring = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    await pause(settleMs, undefined, { signal, ref: false }).catch(() => undefined);
    changed = false;
    if (!signal.aborted) yield;
  }
}

import { pause } from '../pause.ts';
import type { Ports } from '../ports.ts';
import type { IdleWatch } from './idle-watch.ts';
import type { Sleeper } from './sleeper.ts';

/** `suspend_after` is a minute at least. */
const idleLookMs = 5_000;
const reconnectMs = 1_000;

/** Follows what the router tells: requests that wait for an environment to wake, and which environments nobody asks any more. */
export async function runSleepLoop(
  parts: { readonly ports: Ports; readonly sleeper: Sleeper; readonly idle: IdleWatch },
  signal: AbortSignal,
): Promise<void> {
  await Promise.all([followWakes(parts, signal), watchIdle(parts, signal)]);
}

async function followWakes({ ports, sleeper }: { readonly ports: Ports; readonly sleeper: Sleeper }, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const id of ports.router.wakes(signal)) sleeper.onRequest(id);
    } catch (error) {
      ports.log('wakes.lost', { error });
    }
    await pause(reconnectMs, signal);
  }
}

async function watchIdle({ ports, idle }: { readonly ports: Ports; readonly idle: IdleWatch }, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(idleLookMs, signal);
    if (signal.aborted) return;
    await idle.look().catch((error: unknown) => ports.log('idle.unknown', { error }));
  }
}

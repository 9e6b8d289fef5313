import { setTimeout as pause } from 'node:timers/promises';
import type { Router } from '@coppice/router';
import type { Log } from './logger.ts';

const everyMs = 1_000;

/** Starts a router that died again within a second or so, with the routes it had: nobody can reach anything meanwhile. Until `signal`. */
export async function watchRouter(router: Pick<Router, 'ensureRunning'>, log: Log, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await pause(everyMs, undefined, { signal, ref: false });
      await router.ensureRunning();
    } catch (error) {
      if (!signal.aborted) log('router.down', { error });
    }
  }
}

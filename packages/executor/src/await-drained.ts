import { setTimeout as pause } from 'node:timers/promises';
import type { Router } from '@coppice/router';

export interface AwaitDrained {
  readonly router: Pick<Router, 'openRequests'>;
  readonly nowMs: () => number;
}

const everyMs = 25;

/** Resolves once no request is open on any of the instances, or when the time is over: what is open then is ended by their stop. */
export async function awaitDrained(
  { router, nowMs }: AwaitDrained,
  instances: readonly { readonly id: string }[],
  { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const deadlineMs = nowMs() + withinMs;
  while (nowMs() < deadlineMs && !signal.aborted) {
    const open = await Promise.all(instances.map(async ({ id }) => await router.openRequests(id)));
    if (open.every((count) => count === 0)) return;
    await pause(everyMs);
  }
}

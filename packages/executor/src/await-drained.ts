import { setTimeout as pause } from 'node:timers/promises';
import type { Router } from '@coppice/router';

export interface AwaitDrained {
  readonly router: Pick<Router, 'openRequests'>;
  readonly nowMs: () => number;
}

const everyMs = 25;

/** Whether no request is open on any of the instances any more: as soon as that is so, or false when the time is over. */
export async function awaitDrained(
  { router, nowMs }: AwaitDrained,
  instances: readonly { readonly id: string }[],
  { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const deadlineMs = nowMs() + withinMs;
  for (;;) {
    const open = await Promise.all(instances.map(async ({ id }) => await router.openRequests(id)));
    if (open.every((count) => count === 0)) return true;
    if (nowMs() >= deadlineMs || signal.aborted) return false;
    await pause(everyMs);
  }
}

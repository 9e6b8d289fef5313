import { setTimeout as pause } from 'node:timers/promises';

export interface Deadline {
  /** What is waited for, for the message. */
  readonly what: string;
  /** 30,000 where missing. */
  readonly withinMs?: number;
  /** Between two looks; 50 where missing. */
  readonly everyMs?: number;
}

/** Looks until `condition` gives something that is neither undefined nor false, and resolves with it. Throws at the deadline. */
export async function until<Value>(
  condition: () => Promise<Value | undefined | false> | Value | undefined | false,
  { what, withinMs = 30_000, everyMs = 50 }: Deadline,
): Promise<Value> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await pause(everyMs);
  }
}

import { setTimeout as delay } from 'node:timers/promises';

/** Resolves once `condition` holds; throws when it does not within five seconds. */
export async function eventually(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`never: ${what}`);
    await delay(5);
  }
}

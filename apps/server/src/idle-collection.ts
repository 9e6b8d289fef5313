import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const everyMs = 30_000;

/**
 * Collects garbage while nothing is being done: V8 leaves what a burst of pushes left in memory until it needs room, which an idle server
 * never does. A collection of the idle heap takes some tens of milliseconds. Answers how to stop.
 */
export function startIdleCollection(isBusy: () => boolean): () => void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  const timer = setInterval(() => {
    if (typeof collect === 'function' && !isBusy()) collect();
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

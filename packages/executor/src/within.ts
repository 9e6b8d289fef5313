import { CoppiceError } from '@coppice/model';

/**
 * Does work that must end: past its limit, or when `signal` comes, its own signal is aborted, and after a grace it is given up on, whether
 * or not it heeded that. Throws what the work throws; CoppiceError `limit-exceeded` past the limit; the signal's reason.
 */
export async function within<Result>(
  bounds: { readonly limitMs: number; readonly graceMs: number; readonly signal: AbortSignal; readonly what: string },
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { limitMs, graceMs, signal, what } = bounds;
  const stop = new AbortController();
  const abandoned = Promise.withResolvers<never>();
  // They keep no process alive: what is stopped does not wait for its limits.
  const overdue = (): void => end(new CoppiceError('limit-exceeded', `${what} took longer than ${limitMs / 1000} s`));
  let timer = setTimeout(overdue, limitMs).unref();
  const end = (why: unknown): void => {
    clearTimeout(timer);
    timer = setTimeout(() => abandoned.reject(why), graceMs).unref();
    stop.abort(why);
  };
  const onAbort = (): void => end(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal.aborted) onAbort();
    return await Promise.race([work(stop.signal), abandoned.promise]);
  } catch (error) {
    // What the work made of being stopped says less than why it was.
    throw stop.signal.aborted && !signal.aborted ? stop.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

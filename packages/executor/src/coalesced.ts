/**
 * Wraps work whose runs may be shared: a call gets the result of a run that began after the call. While one runs, all further calls
 * wait for one more; never do two run at once.
 */
export function coalesced<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let running: Promise<Result> | undefined;
  let waiting: Promise<Result> | undefined;
  const start = (): Promise<Result> => {
    const run = work().finally(() => {
      if (!waiting) running = undefined;
    });
    running = run;
    return run;
  };
  const startWaiting = (): Promise<Result> => {
    waiting = undefined;
    return start();
  };
  return () => {
    if (waiting) return waiting;
    if (!running) return start();
    // A failure of the run before is heard by whoever asked for that one.
    waiting = running.then(startWaiting, startWaiting);
    return waiting;
  };
}

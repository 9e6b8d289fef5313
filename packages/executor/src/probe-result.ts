/** One answer to the question whether an instance serves. `answer` says what came, for people. */
export interface ProbeResult {
  readonly ready: boolean;
  readonly answer: string;
}

/** Where a probe over the network goes. */
export interface ProbeTarget {
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
}

/** What a failed connection says, in words. */
export function connectionAnswer(error: NodeJS.ErrnoException): string {
  if (error.code === 'ECONNREFUSED') return 'connection refused';
  if (error.code === 'ECONNRESET') return 'connection reset';
  return error.code ?? error.message;
}

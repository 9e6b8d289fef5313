/** Writes structured lines about the server itself: one JSON object each, to standard error. */
export type Log = (event: string, details?: Readonly<Record<string, unknown>>) => void;

/** A log to a stream; times are RFC 3339 in UTC. */
export function createLog(write: (line: string) => void): Log {
  return (event, details = {}) => write(`${JSON.stringify({ at: new Date().toISOString(), event, ...details })}\n`);
}

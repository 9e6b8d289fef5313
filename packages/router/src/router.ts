import type { Digest, EnvironmentId, HoldCause, RouteTable } from '@coppice/model';

/**
 * The public door: what each host leads to. It outlives the server and is never on the control plane's path for a request.
 * Failures are CoppiceError `router-failed`.
 */
export interface Router {
  /** Starts it, or finds the one that runs; afterwards it serves what is on disk. Idempotent; also repairs a killed one. */
  ensureRunning(): Promise<void>;
  /** Swaps all that the environment has to this table, without losing a request. Refuses a host that another environment holds (`conflict`). */
  apply(environment: EnvironmentId, table: RouteTable): Promise<void>;
  /** Removes all that the environment has. */
  remove(environment: EnvironmentId): Promise<void>;
  /** Digest of each environment's table as it is served. */
  current(): Promise<ReadonlyMap<EnvironmentId, Digest>>;
  /** Environments of which requests wait at some route, and why. */
  holding(): Promise<ReadonlyMap<EnvironmentId, HoldCause>>;
  /** Open requests on a server (by instance id) that was taken out of all tables. */
  openRequests(instance: string): Promise<number>;
  /**
   * Yields an environment when a request waits at one of its `suspended` holds, and again every second while one waits: hints, of which
   * some may be lost while nobody listens. Ends with the signal.
   */
  wakes(signal: AbortSignal): AsyncIterable<EnvironmentId>;
  /** How much each environment that has a table is used. */
  usage(): Promise<ReadonlyMap<EnvironmentId, RouterUsage>>;
  /** `host:port` it listens on. */
  readonly address: string;
  /** Stops the router's process for good. */
  shutdown(): Promise<void>;
}

/** Requests of one environment's routes; those answered by notices and redirects do not count. */
export interface RouterUsage {
  /** Open now, streams and WebSockets included, held ones not. */
  readonly open: number;
  /** Waiting at a hold. */
  readonly held: number;
  /** Milliseconds since a request last came to one of its instances; since the router's process started where none came. At second precision. */
  readonly idleMs: number;
}

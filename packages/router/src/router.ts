import type { Digest, EnvironmentId, RouteTable } from '@coppice/model';

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
  /** Open requests on a server (by instance id) that was taken out of all tables. */
  openRequests(instance: string): Promise<number>;
  /** `host:port` it listens on. */
  readonly address: string;
  /** Stops the router's process for good. */
  shutdown(): Promise<void>;
}

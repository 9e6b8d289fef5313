import { type Digest, digestOf } from './identifiers.ts';
import type { PathRedirect, RouteAccess } from './topology.ts';

/** What the router does for one environment, with every placeholder resolved. A pure value that is swapped whole. */
export interface RouteTable {
  /** Sorted by host, then path. */
  readonly entries: readonly RouteEntry[];
}

export interface RouteEntry {
  /** Lower case, without port. */
  readonly host: string;
  /** Starts and ends with `/`; the longest that is a prefix of the request's path wins. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly access: RouteAccess | undefined;
  readonly target: RouteTarget;
}

export type RouteTarget =
  | {
      readonly kind: 'upstream';
      readonly node: string;
      readonly servers: readonly UpstreamServer[];
      readonly redirects: readonly PathRedirect[];
    }
  /** `to` is a whole URL, or a path of the same host. */
  | { readonly kind: 'redirect'; readonly to: string; readonly code: 301 | 302 | 307 | 308 }
  /**
   * Requests wait unread until the table says otherwise; past the router's limits (how many, how long) they get 503 with Retry-After.
   * `suspended`: whoever waits is told to those who listen to `Router.wakes`.
   */
  | { readonly kind: 'hold'; readonly cause: HoldCause }
  /** Answers itself; `creating`: 503 with Retry-After. */
  | { readonly kind: 'notice'; readonly notice: 'creating' | 'unavailable'; readonly text: string };

/** `switching`: while a node with an exclusive volume is replaced. `suspended`: until the environment is awake. */
export type HoldCause = 'switching' | 'suspended';

/** One ready instance. `id` is the container's id; equal ids are the same server before and after a swap. */
export interface UpstreamServer {
  readonly id: string;
  readonly address: string;
  readonly port: number;
}

/** Digest of a table, kept beside it so that the loop can tell what is served. */
export function routeTableDigest(table: RouteTable): Digest {
  return digestOf(table);
}

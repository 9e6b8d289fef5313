import { availableParallelism } from 'node:os';
import { CoppiceError } from '@coppice/model';
import type { HaproxySettings } from './haproxy-config.ts';
import { openFilesLimit, type ProcessSpec, type ProcessUser, processUser } from './haproxy-process.ts';
import { defaultHoldLimits, type HoldLimits, holdScript } from './hold-script.ts';

/** How the router is set up. */
export interface HaproxyRouterOptions {
  /** Folder of its own; made where missing. Two routers never share one. */
  readonly directory: string;
  /** `address:port`, IPv6 in brackets. */
  readonly listen: string;
  /** Domain of the environments, shown on the page for unknown hosts. */
  readonly domain: string;
  /** Default: `haproxy` in PATH. */
  readonly binary?: string;
  /** Who it runs as where we are root. Default: the system user `haproxy`. */
  readonly user?: ProcessUser;
  /** Slots to begin with; each can serve one node of one environment. Default 256. */
  readonly slots?: number;
  /** Default: `defaultHoldLimits`. */
  readonly holdLimits?: Partial<HoldLimits>;
  /** Gets one line per start, reload and repair. */
  readonly log: (line: string) => void;
}

/** How to start it, and what it is configured with. Throws `invalid-request` for an address it cannot listen on, and for limits. */
export function resolveOptions(options: HaproxyRouterOptions): { readonly process: ProcessSpec; readonly settings: HaproxySettings } {
  const port = listenPort(options.listen);
  if (!/^[a-z0-9.-]{1,253}$/.test(options.domain))
    throw new CoppiceError('invalid-request', `not a domain: ${JSON.stringify(options.domain)}`);
  const openFiles = openFilesLimit();
  // Two descriptors per connection, and some for listeners, pipes and sockets.
  const maxConnections = Math.max(100, Math.floor((openFiles - 500) / 2.2));
  return {
    process: {
      directory: options.directory,
      binary: options.binary ?? 'haproxy',
      user: processUser(options.user),
      openFiles,
      privilegedPort: port < 1024,
    },
    settings: {
      listen: options.listen,
      domain: options.domain,
      maxConnections,
      threads: Math.min(4, availableParallelism()),
      hold: holdScript(holdLimits(options.holdLimits, maxConnections)),
    },
  };
}

/** Those that wait must leave connections for those that are served. */
function holdLimits(given: Partial<HoldLimits> | undefined, maxConnections: number): HoldLimits {
  const limits = { ...defaultHoldLimits, ...given };
  for (const [name, value] of Object.entries(limits))
    if (!Number.isInteger(value) || value < 1)
      throw new CoppiceError('invalid-request', `${name} of the router is a number from 1, not ${value}`);
  return { ...limits, inTotal: Math.min(limits.inTotal, Math.floor(maxConnections / 2)) };
}

function listenPort(listen: string): number {
  const port = Number(/^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:]+\]):(\d{1,5})$/.exec(listen)?.[1]);
  if (!(port >= 1 && port <= 65_535))
    throw new CoppiceError('invalid-request', `not an address to listen on: ${JSON.stringify(listen)}`, { hint: 'e.g. 127.0.0.1:8080' });
  return port;
}

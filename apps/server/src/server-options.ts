import { isIPv6 } from 'node:net';
import { CoppiceError } from '@coppice/model';

/** What `coppice server` was started with. */
export interface ServerOptions {
  /** Absolute path; created when missing. */
  readonly data: string;
  readonly listen: HostPort;
  readonly router: HostPort;
  readonly domain: string;
}

/** A place to listen; port 0 lets the system choose. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Reads `127.0.0.1:7070` or `[::1]:7070`; throws `invalid-request`. */
export function parseHostPort(text: string): HostPort {
  const [, address, name, digits] = /^(?:\[([^\]]+)\]|([\w.-]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = address ?? name;
  const port = Number(digits);
  if (host === undefined || (address !== undefined && !isIPv6(address)) || port > 65_535)
    throw new CoppiceError('invalid-request', `"${text}" is no address to listen on`, { hint: 'write HOST:PORT, e.g. 127.0.0.1:7070' });
  return { host, port };
}

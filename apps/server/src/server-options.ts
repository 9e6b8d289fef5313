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
  const found = /^(\[[0-9a-fA-F:]+\]|[^:]+):(\d{1,5})$/.exec(text);
  const port = Number(found?.[2]);
  if (!found?.[1] || port > 65_535)
    throw new CoppiceError('invalid-request', `"${text}" is no address to listen on`, { hint: 'write HOST:PORT, e.g. 127.0.0.1:7070' });
  return { host: found[1].replace(/^\[|\]$/g, ''), port };
}

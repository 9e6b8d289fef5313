import { isIP } from 'node:net';
import { CoppiceError, type PathRedirect, type RouteAccess, type RouteEntry, type RouteTable } from '@coppice/model';

const hostPattern = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const pathPattern = /^\/[A-Za-z0-9._~!$&()*+,;=:@/%-]*$/;
const headerNamePattern = /^[A-Za-z0-9!#$%&*+.^_|~-]{1,100}$/;
/** What a header's value may hold: visible ASCII and blanks, RFC 9110 section 5.5 without obs-text. */
const headerValuePattern = /^[\x20-\x7e]{0,2000}$/;
const urlPattern = /^https?:\/\/[A-Za-z0-9[\]._-][\x21-\x5b\x5d-\x7e]*$/;
const samePathPattern = /^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/;
const instancePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
const environmentPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$/;
const controlPattern = /[\p{Cc}\p{Cf}\u2028\u2029]/u;
/** Headers that HAProxy itself manages: a route must not set them. */
const managedHeaders = new Set(['connection', 'content-length', 'host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade']);
const maxEntries = 1000;

function refuse(message: string, hint?: string): never {
  throw new CoppiceError('invalid-request', message, hint === undefined ? {} : { hint });
}

/** Throws `invalid-request` where an environment's id could not be the name of a file. */
export function checkEnvironmentId(environment: string): void {
  if (!environmentPattern.test(environment)) refuse(`the router cannot use ${JSON.stringify(environment)} as an environment's id`);
}

/**
 * Throws `invalid-request` where a table holds what must not reach the router's configuration or run-time socket: this is the edge,
 * and everything behind it relies on it.
 */
export function checkRouteTable(table: RouteTable): void {
  if (table.entries.length > maxEntries) refuse(`a route table may have ${maxEntries} entries, not ${table.entries.length}`);
  const seen = new Set<string>();
  for (const entry of table.entries) {
    checkEntry(entry);
    const key = `${entry.host}${entry.path}`;
    if (seen.has(key)) refuse(`two routes for ${key}`);
    seen.add(key);
  }
}

function checkEntry(entry: RouteEntry): void {
  const labels = entry.host.split('.');
  if (entry.host.length > 253 || !labels.every((label) => hostPattern.test(label)))
    refuse(`not a host name: ${JSON.stringify(entry.host)}`, 'lower case, labels of letters, digits and hyphens, no port');
  checkPath(entry.path);
  if (entry.path.includes('%')) refuse(`the path of a route is written without percent signs: ${JSON.stringify(entry.path)}`);
  if (!entry.path.endsWith('/')) refuse(`the path of a route ends with a slash: ${JSON.stringify(entry.path)}`);
  for (const [name, value] of Object.entries(entry.headers)) checkHeader(name, value);
  if (entry.access) checkAccess(entry.access);
  const target = entry.target;
  if (target.kind === 'redirect') checkDestination(target.to);
  if (target.kind !== 'upstream') return;
  if (target.servers.length > 250) refuse(`a route may have 250 servers, not ${target.servers.length}`);
  for (const server of target.servers) {
    if (!instancePattern.test(server.id)) refuse(`not an instance's id: ${JSON.stringify(server.id)}`);
    if (isIP(server.address) === 0 || server.address.includes('%')) refuse(`not an IP address: ${JSON.stringify(server.address)}`);
    if (!Number.isInteger(server.port) || server.port < 1 || server.port > 65_535) refuse(`not a port: ${server.port}`);
  }
  if (target.redirects.length > 200) refuse(`a route may have 200 path redirects, not ${target.redirects.length}`);
  for (const redirect of target.redirects) checkRedirect(redirect);
}

function checkPath(path: string): void {
  if (path.length > 512 || !pathPattern.test(path) || path.includes('//') || /(^|\/)\.\.?(\/|$)/.test(path))
    refuse(`not a path of a route: ${JSON.stringify(path)}`, 'it starts with a slash, and holds no empty, "." or ".." segments');
}

function checkHeader(name: string, value: string): void {
  if (!headerNamePattern.test(name)) refuse(`not a header name: ${JSON.stringify(name)}`);
  if (managedHeaders.has(name.toLowerCase())) refuse(`the header ${name} is the router's own`);
  if (!headerValuePattern.test(value)) refuse(`not a value of the header ${name}`, 'printable ASCII, at most 2000 characters');
}

function checkAccess(access: RouteAccess): void {
  for (const [user, password] of Object.entries(access.basicAuth)) {
    if (user === '' || user.includes(':') || user.length > 200 || controlPattern.test(user))
      refuse('a user name of basic authentication is not empty and holds no colon and no control characters');
    if (password.length > 200 || controlPattern.test(password))
      refuse(`the password of ${JSON.stringify(user)} holds control characters or is longer than 200`);
  }
  for (const { block } of access.addresses) checkBlock(block);
}

function checkBlock(block: string): void {
  if (block === 'any') return;
  const [address = '', bits, ...rest] = block.split('/');
  const family = isIP(address);
  const bitsFit = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
  if (family === 0 || address.includes('%') || !bitsFit || rest.length > 0)
    refuse(`not an address block: ${JSON.stringify(block)}`, 'an IP address, a CIDR block, or any');
}

function checkRedirect(redirect: PathRedirect): void {
  checkPath(redirect.path);
  checkDestination(redirect.to);
}

function checkDestination(to: string): void {
  if (to.length > 2000 || !(urlPattern.test(to) || samePathPattern.test(to)))
    refuse(`not a destination of a redirect: ${JSON.stringify(to)}`, 'an http or https URL, or a path that starts with one slash');
}

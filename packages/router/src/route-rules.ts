import { createHash } from 'node:crypto';
import type { PathRedirect, RouteAccess, RouteEntry } from '@coppice/model';
import { literalFormat, quoted } from './haproxy-quote.ts';

/**
 * What a route wants besides its servers, as lines of a `backend` section, in the order they act: who may come in, redirects, headers
 * of the answer. Empty for most routes. Passwords appear only as salted SHA-256 of what the client sends. The entry was checked.
 */
export function routeRules(entry: RouteEntry, salt: string): readonly string[] {
  const rules = entry.access ? accessRules(entry.access, salt) : [];
  const redirects =
    entry.target.kind === 'redirect'
      ? routeRedirect(entry.path, entry.target.to, entry.target.code)
      : entry.target.kind === 'upstream'
        ? entry.target.redirects.flatMap(pathRedirect)
        : [];
  const headers = Object.entries(entry.headers)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `http-after-response set-header ${quoted(name)} ${quoted(literalFormat(value))}`);
  return [...rules, ...redirects, ...headers];
}

function accessRules(access: RouteAccess, salt: string): string[] {
  const lines = access.addresses.map(({ permission, block }) => {
    const source = block === 'any' ? 'always_true' : `src ${block}`;
    return `http-request set-var(txn.access) str(${permission}) if !{ var(txn.access) -m found } { ${source} }`;
  });
  if (lines.length > 0) {
    lines.push(
      `http-request deny deny_status 403 content-type text/plain string "Not allowed from this address.\\n" if { var(txn.access) -m str deny }`,
    );
  }
  const users = Object.entries(access.basicAuth);
  if (users.length > 0) {
    const accepted = users.map(([user, password]) => credentialDigest({ user, password, salt })).sort();
    lines.push(
      `http-request auth realm restricted unless { req.hdr(authorization),word(2,' '),concat(${salt}),sha2(256),hex -m str -i ${accepted.join(' ')} }`,
    );
  }
  return lines;
}

/** SHA-256, hexadecimal, of the base64 part of an Authorization header followed by the salt. */
function credentialDigest({ user, password, salt }: { user: string; password: string; salt: string }): string {
  const token = Buffer.from(`${user}:${password}`, 'utf8').toString('base64');
  return createHash('sha256').update(`${token}${salt}`).digest('hex');
}

/** A destination that ends with a slash carries the rest of the path and the query; any other is the exact place. */
function routeRedirect(path: string, to: string, code: number): string[] {
  if (!to.endsWith('/')) return [`http-request redirect location ${quoted(literalFormat(to))} code ${code}`];
  return carrying({ path, to, code });
}

function pathRedirect({ path, to, code, prefix }: PathRedirect): string[] {
  if (prefix) return carrying({ path: path.endsWith('/') ? path : `${path}/`, to: to.endsWith('/') ? to : `${to}/`, code });
  return [`http-request redirect location ${quoted(literalFormat(to))} code ${code} if { path -m str ${quoted(path)} }`];
}

/** Two rules, since `/old` and `/old/…` both match. Leading slashes of the rest go, so that none can make it name another host. */
function carrying({ path, to, code }: { path: string; to: string; code: number }): string[] {
  const rest = quoted(`${literalFormat(to)}%[pathq,bytes(${path.length}),ltrim(/)]`);
  const lines = [`http-request redirect location ${rest} code ${code} if { path -m beg ${quoted(path)} }`];
  if (path !== '/') {
    const bare = path.slice(0, -1);
    const query = quoted(`${literalFormat(to)}%[pathq,bytes(${bare.length})]`);
    lines.push(`http-request redirect location ${query} code ${code} if { path -m str ${quoted(bare)} }`);
  }
  return lines;
}

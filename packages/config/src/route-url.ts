/** A route's URL in its plain form, and what it stands for. */
export interface RouteUrl {
  /** `http(s)://{default}/`: scheme as written, host in lower case, the path ends with `/`. */
  readonly url: string;
  readonly scheme: 'http' | 'https' | 'http(s)';
  readonly host: string;
  readonly path: string;
}

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const hostPattern = new RegExp(`^(?:(?:${label}\\.){0,20}\\{(?:default|all)\\}|${label}(?:\\.${label}){0,20})$`);

/** Reads a route's URL whose rough shape was checked, or says what is wrong with it. */
export function parseRouteUrl(text: string): RouteUrl | { readonly problem: string } {
  const match = /^(https?|http\(s\)):\/\/([^/]+)(\/.*)?$/.exec(text);
  if (match === null) return { problem: 'write a URL such as http(s)://{default}/' };
  const [, scheme, written = '', path = '/'] = match;
  const host = written.toLowerCase();
  if (host.length > 253 || !hostPattern.test(host)) return { problem: hostProblem(host) };
  if (/[?#]/.test(path)) return { problem: 'a route has no query and no fragment' };
  if (path.split('/').some((part) => part === '..' || part === '.') || path.includes('//')) {
    return { problem: 'the path may not hold ".", ".." or empty parts' };
  }
  const whole = path.endsWith('/') ? path : `${path}/`;
  return { url: `${scheme}://${host}${whole}`, scheme: scheme as RouteUrl['scheme'], host, path: whole };
}

function hostProblem(host: string): string {
  if (host.includes('*')) return 'wildcard hosts are not served; name each host';
  if (host.includes(':')) return 'a route names no port';
  if (/[{}]/.test(host)) return 'the placeholders are {default} and {all}, at the end of the host';
  return 'the host is no domain name';
}

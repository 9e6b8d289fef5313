import { access, readFile } from 'node:fs/promises';
import { isErrno } from '../store/durable-file.ts';

/** What a build needs to know of this host to reach package registries. It reaches the sandbox when it runs, and nothing else. */
export interface HostSettings {
  readonly variables: Readonly<Record<string, string>>;
  /** Read-only in the sandbox. */
  readonly mounts: readonly { readonly target: string; readonly hostPath: string; readonly readOnly: true }[];
  /** Texts that no line may show: passwords of proxies and registries. */
  readonly secrets: readonly string[];
}

/** Where the host keeps such settings; tests give others. */
export interface HostSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** npm's settings, the strongest first. */
  readonly npmrcFiles: readonly string[];
  readonly certificates: string;
}

export const defaultHostSources: HostSources = {
  environment: process.env,
  npmrcFiles: ['/root/.npmrc', '/usr/local/etc/npmrc', '/usr/etc/npmrc', '/etc/npmrc'],
  certificates: '/etc/ssl/certs/ca-certificates.crt',
};

const proxyNames = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'no_proxy', 'all_proxy'];
/** Of npm's settings only those say where packages come from; the rest (caches, prefixes) is about the host's own folders. */
const npmNames = ['registry', 'proxy', 'https_proxy', 'noproxy', 'strict_ssl', 'omit_lockfile_registry_resolved'];
const pipNames = ['PIP_INDEX_URL', 'PIP_EXTRA_INDEX_URL', 'PIP_TRUSTED_HOST'];
/** How the runtimes and tools of builds are told of the authorities that the host trusts. */
const certificateNames = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'PIP_CERT', 'CURL_CA_BUNDLE', 'GIT_SSL_CAINFO'];
const certificatesInside = '/etc/ssl/certs/ca-certificates.crt';

/** Reads them as they are now. Files that are not there say nothing. */
export async function readHostSettings(sources: HostSources = defaultHostSources): Promise<HostSettings> {
  const variables: Record<string, string> = {};
  const pass = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') variables[name] = value;
  };
  for (const name of [...proxyNames, ...pipNames]) pass(name, sources.environment[name]);
  for (const file of sources.npmrcFiles.toReversed()) {
    for (const [name, value] of await readNpmrc(file)) if (npmNames.includes(name)) pass(`npm_config_${name}`, value);
  }
  for (const name of npmNames) pass(`npm_config_${name}`, sources.environment[`npm_config_${name}`]);
  const mounts: HostSettings['mounts'][number][] = [];
  if (await isThere(sources.certificates)) {
    mounts.push({ target: certificatesInside, hostPath: sources.certificates, readOnly: true });
    for (const name of certificateNames) variables[name] = certificatesInside;
  }
  return { variables, mounts, secrets: [...new Set(Object.values(variables).flatMap(secretsOf))] };
}

/** `key=value` lines; npm reads `-` and `_` of a key alike. Credentials (`//host/:_authToken=`) are left where they are. */
async function readNpmrc(file: string): Promise<readonly (readonly [string, string])[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'EACCES') || isErrno(error, 'ENOTDIR')) return [];
    throw error;
  }
  return text.split('\n').flatMap((line) => {
    const [, key, value] = /^\s*([a-z_-]{1,64})\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    return key !== undefined && value !== undefined ? [[key.replaceAll('-', '_'), value.replace(/^"(.*)"$/, '$1')] as const] : [];
  });
}

const shortestToken = 8;

/** The passwords in URLs and each with its name, as written and as decoded; tokens stand where names do. Schemes may be missing, as for curl. */
function secretsOf(value: string): string[] {
  return value.split(/\s+/).flatMap((url) => {
    const [, login = ''] = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^/?#]*)@/i.exec(url) ?? [];
    const colon = login.indexOf(':');
    const name = colon < 0 ? login : login.slice(0, colon);
    const password = colon < 0 ? '' : login.slice(colon + 1);
    // the password by which GitHub's clients say that the name is a token
    const secrets = password === '' || password === 'x-oauth-basic' ? [name].filter(isToken) : [login, password];
    return [...secrets, ...secrets.map(decoded)];
  });
}

/** Whether a name without a password may be a secret: `git` and `root` are none. */
function isToken(name: string): boolean {
  return name.length >= shortestToken;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'EACCES')) return false;
    throw error;
  }
}

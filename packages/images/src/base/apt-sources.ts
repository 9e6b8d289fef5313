import type { BaseRecipe } from '@coppice/catalog';

type DebianRelease = BaseRecipe['debian'];

/** Where packages come from. */
export interface DebianMirror {
  readonly main: string;
  readonly security: string | undefined;
}

const releaseNames: ReadonlySet<string> = new Set([
  'bullseye',
  'bookworm',
  'trixie',
  'forky',
  'oldoldstable',
  'oldstable',
  'stable',
  'testing',
]);
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * The Debian mirror named by the host's apt sources (the texts of `*.list` and `*.sources` files), or undefined where the host
 * names none, as on another distribution.
 */
export function debianMirror(files: readonly { readonly name: string; readonly text: string }[]): DebianMirror | undefined {
  const entries = files.flatMap((file) => (file.name.endsWith('.sources') ? deb822Entries(file.text) : listEntries(file.text)));
  const uriOf = (wanted: (suite: string) => boolean) =>
    entries.find((entry) => entry.components.includes('main') && entry.suites.some(wanted))?.uri;
  const main = uriOf((suite) => releaseNames.has(suite));
  if (main === undefined) return undefined;
  return { main, security: uriOf((suite) => suite.endsWith('-security') && releaseNames.has(suite.slice(0, -'-security'.length))) };
}

/** The lines of a `sources.list` for a release: the release, its updates and, where the mirror has them, its security updates. */
export function sourcesList(mirror: DebianMirror, release: DebianRelease): string {
  const line = (uri: string, suite: string) => `deb [signed-by=${keyring}] ${uri} ${suite} main\n`;
  return (
    line(mirror.main, release) +
    line(mirror.main, `${release}-updates`) +
    (mirror.security === undefined ? '' : line(mirror.security, `${release}-security`))
  );
}

interface SourceEntry {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
}

function listEntries(text: string): SourceEntry[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line);
    if (match === null) return [];
    const [, uri = '', suite = '', components = ''] = match;
    return [{ uri, suites: [suite], components: words(components) }];
  });
}

function deb822Entries(text: string): SourceEntry[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const lines = stanza.split('\n').filter((line) => !line.startsWith('#'));
    const field = (name: string): string[] => {
      const start = lines.findIndex((line) => line.toLowerCase().startsWith(`${name}:`));
      if (start === -1) return [];
      const more = lines.slice(start + 1);
      const end = more.findIndex((line) => !/^\s/.test(line));
      const continued = end === -1 ? more : more.slice(0, end);
      return words([lines[start]?.slice(name.length + 1) ?? '', ...continued].join(' '));
    };
    const [uri] = field('uris');
    if (uri === undefined || !field('types').includes('deb') || field('enabled')[0] === 'no') return [];
    return [{ uri, suites: field('suites'), components: field('components') }];
  });
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

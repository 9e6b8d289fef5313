import { type DirectoryEntry, formatDiagnostic, type Topology, type TypeDirectory } from '@coppice/model';
import { type Configuration, readConfiguration } from './read-configuration.ts';

/** For tests: an entry of a directory with what a test does not care about filled in. */
export function directoryEntry(entry: Partial<DirectoryEntry> & Pick<DirectoryEntry, 'name'>): DirectoryEntry {
  return {
    kind: 'application',
    versions: ['1'],
    endpoints: ['http'],
    defaultEndpoint: 'http',
    properties: [],
    startOptional: false,
    ...entry,
  };
}

const entries: readonly DirectoryEntry[] = [
  directoryEntry({ name: 'nodejs', versions: ['18', '20', '22', '24'] }),
  directoryEntry({ name: 'python', versions: ['3.9', '3.11', '3.13'] }),
  directoryEntry({ name: 'static', startOptional: true }),
  directoryEntry({
    name: 'postgresql',
    kind: 'service',
    versions: ['13', '15', '17'],
    endpoints: ['postgresql'],
    defaultEndpoint: 'postgresql',
    properties: ['max_connections', 'work_mem'],
  }),
  directoryEntry({ name: 'redis', kind: 'service', versions: ['6', '7', '8'], endpoints: ['redis'], defaultEndpoint: 'redis' }),
];

/** For tests: the types of the first release. */
export const fixtureTypes: TypeDirectory = new Map(entries.map((entry) => [entry.name, entry]));

/** For tests: one file named coppice.yaml, or several by name. */
export function read(files: string | Uint8Array | Readonly<Record<string, string | Uint8Array>>): Configuration {
  const byName = typeof files === 'string' || files instanceof Uint8Array ? { 'coppice.yaml': files } : files;
  return readConfiguration({ files: Object.entries(byName).map(([name, bytes]) => ({ name, bytes })), types: fixtureTypes });
}

/** For tests: the topology of a file that must be sound. */
export function topologyOf(files: string | Readonly<Record<string, string>>): Topology {
  const { topology, diagnostics } = read(files);
  if (topology === undefined) throw new Error(`the file is not sound:\n${diagnostics.map(formatDiagnostic).join('\n')}`);
  return topology;
}

/** For tests: every diagnostic as the line that people see. */
export function complaints(files: string | Uint8Array | Readonly<Record<string, string | Uint8Array>>): string[] {
  return read(files).diagnostics.map(formatDiagnostic);
}

/** For tests: a sound application named web with further keys, each line without the indentation. */
export function web(...lines: readonly string[]): string {
  const keys = ['type: nodejs:24', 'start: node server.js', ...lines];
  return `applications:\n  web:\n${keys.map((line) => `    ${line}\n`).join('')}`;
}

import type { BaseRecipe, ResolvedType } from './catalog-type.ts';
import { fillPlaceholders } from './fill-placeholders.ts';
import type { Processor, TypeFile, VersionRow } from './type-file.ts';

const bytesPerUnit: Readonly<Record<string, number>> = { M: 2 ** 20, G: 2 ** 30 };

/** The values of a row on a processor, or undefined where the row is not there on it. */
export function rowValues(row: VersionRow, processor: Processor): Readonly<Record<string, string>> | undefined {
  const values: Record<string, string> = { version: row.version, processor };
  for (const [name, value] of Object.entries(row.values ?? {})) {
    const here = typeof value === 'string' ? value : value[processor];
    if (here === undefined) return undefined;
    values[name] = here;
  }
  return values;
}

/** A type at one of its rows, whole: every default filled in, every placeholder replaced. */
export function resolveType(unfilled: TypeFile, row: VersionRow, values: Readonly<Record<string, string>>): ResolvedType {
  const type = fillPlaceholders(unfilled, values);
  return {
    name: type.name,
    kind: type.kind,
    version: row.version,
    debian: row.debian,
    base: baseRecipe(type, row),
    user: type.user,
    workingDirectory: type.workingDirectory,
    argv: type.argv,
    webServer: type.webServer,
    capabilities: type.capabilities ?? [],
    tmpfs: type.tmpfs ?? [],
    mounts: (type.mounts ?? []).map((mount) => ({ ...mount, source: mount.exclusive ? 'instance' : 'storage' })),
    endpoints: mapValues(type.endpoints, (endpoint) => ({ credentials: false, schemaPath: false, ...endpoint })),
    defaultEndpoint: type.defaultEndpoint,
    readiness: type.readiness,
    provision: type.provision,
    quiesce: type.quiesce,
    stop: type.stop,
    resources: {
      cpu: type.resources.cpu,
      memoryBytes: sizeBytes(type.resources.memory),
      diskBytes: type.resources.disk === undefined ? 0 : sizeBytes(type.resources.disk),
    },
    variables: type.variables ?? {},
    properties: type.properties ?? {},
    build: type.build && {
      defaults: type.build.defaults.map(({ when, steps }) => ({ when, steps: steps.map(({ run, inputs }) => ({ run, inputs })) })),
      caches: type.build.caches ?? {},
      variables: type.build.variables ?? {},
    },
    files: mapValues(type.files ?? {}, (file) => ({ executable: false, ...file })),
  };
}

function baseRecipe(type: TypeFile, row: VersionRow): BaseRecipe {
  const { name, uid, gid } = type.user;
  // Before the packages come, so that a package which wants a user of this name takes this one instead of a number by chance.
  const addUser =
    `echo '${name}:x:${gid}:' >>/etc/group && ` +
    `echo '${name}:x:${uid}:${gid}:${name}:${type.workingDirectory}:/bin/sh' >>/etc/passwd && echo '${name}:!:1::::::' >>/etc/shadow`;
  return {
    debian: row.debian,
    prepare: [addUser, ...(type.prepare ?? [])],
    packages: type.packages,
    npm: (type.npm ?? []).map((npm) => ({ only: [], ...npm })),
    setup: type.setup ?? [],
  };
}

function sizeBytes(text: string): number {
  return Number(text.slice(0, -1)) * (bytesPerUnit[text.slice(-1)] ?? 1);
}

function mapValues<From, To>(record: Readonly<Record<string, From>>, map: (value: From) => To): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

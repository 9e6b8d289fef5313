import type { Diagnostic } from '@coppice/model';
import type { Catalog } from './catalog.ts';
import type { ResolvedType } from './catalog-type.ts';
import { compareVersions } from './compare-versions.ts';
import { resolveType, rowValues } from './resolve-type.ts';
import type { Processor, TypeFile } from './type-file.ts';

const versionPattern = /^\d{1,6}(?:\.\d{1,6}){0,3}$/;

/** The catalog of these types for machines with this processor. Pure; types sorted by name. */
export function catalogOf(files: readonly TypeFile[], processor: Processor): Catalog {
  const resolved = new Map<string, readonly ResolvedType[]>();
  for (const file of [...files].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const rows = file.versions.flatMap((row) => {
      const values = rowValues(row, processor);
      return values === undefined ? [] : [resolveType(file, row, values)];
    });
    if (rows.length > 0) {
      resolved.set(
        file.name,
        rows.sort((a, b) => compareVersions(a.version, b.version)),
      );
    }
  }
  return {
    types: [...resolved].map(([name, rows]) => ({
      name,
      kind: rows[0]?.kind ?? 'service',
      versions: rows.map((row) => row.version),
    })),
    resolve: ({ name, version }, nearest) => {
      const rows = resolved.get(name);
      if (rows === undefined) return unknownType(name, [...resolved.keys()]);
      const exact = rows.find((row) => row.version === version);
      if (exact !== undefined) return exact;
      const newer =
        nearest === 'newer' && versionPattern.test(version) ? rows.find((row) => compareVersions(row.version, version) >= 0) : undefined;
      return newer ?? unknownVersion(name, version, rows);
    },
  };
}

function unknownType(name: string, names: readonly string[]): Diagnostic {
  return {
    code: 'unknown-type',
    severity: 'error',
    message: `the catalog has no type "${name}"`,
    hint: `there are ${names.join(', ')}`,
  };
}

function unknownVersion(name: string, version: string, rows: readonly ResolvedType[]): Diagnostic {
  return {
    code: 'unknown-version',
    severity: 'error',
    message: version === '' ? `${name} needs a version` : `the catalog has no ${name} ${version}`,
    hint: `there are ${rows.map((row) => `${name}:${row.version}`).join(', ')}`,
  };
}

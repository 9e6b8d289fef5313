import type { TypeDirectory } from '@coppice/model';
import type { Catalog } from './catalog.ts';

/** What the file's reader must know of the catalog. */
export function typeDirectory(catalog: Catalog): TypeDirectory {
  return new Map(
    catalog.types.flatMap(({ name, kind, versions }) => {
      const newest = catalog.resolve({ name, version: versions.at(-1) ?? '' }, 'exact');
      if (!('base' in newest)) return [];
      const entry = {
        name,
        kind,
        versions,
        endpoints: Object.keys(newest.endpoints),
        defaultEndpoint: newest.defaultEndpoint,
        properties: Object.keys(newest.properties),
        startOptional: newest.argv !== undefined,
      };
      return [[name, entry] as const];
    }),
  );
}

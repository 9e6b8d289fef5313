export type { Catalog, CatalogEntry } from './catalog.ts';
export { catalogOf } from './catalog-of.ts';
export type { BaseRecipe, BuildRecipe, CatalogEndpoint, ResolvedType } from './catalog-type.ts';
export { loadCatalog } from './load-catalog.ts';
export { staticServerFiles } from './static-server-files.ts';
export { typeDirectory } from './type-directory.ts';
export type { Processor, TypeFile, VersionRow } from './type-file.ts';

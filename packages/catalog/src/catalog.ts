import type { Diagnostic } from '@coppice/model';
import type { ResolvedType } from './catalog-type.ts';

/** The types that are there. A pure value once loaded. */
export interface Catalog {
  readonly types: readonly CatalogEntry[];
  /** The type at that version, or why not (with those that are there). `nearest: newer` takes the next version up. */
  resolve(type: { readonly name: string; readonly version: string }, nearest: 'exact' | 'newer'): ResolvedType | Diagnostic;
}

export interface CatalogEntry {
  readonly name: string;
  readonly kind: 'application' | 'service';
  /** Those that this machine's processor has, oldest first. */
  readonly versions: readonly string[];
}

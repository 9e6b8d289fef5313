/** What the file's reader must know of the catalog: which types there are and how they are spoken of. A pure value. */
export type TypeDirectory = ReadonlyMap<string, DirectoryEntry>;

export interface DirectoryEntry {
  readonly name: string;
  readonly kind: 'application' | 'service';
  /** Oldest first, as people write them, e.g. `15`. */
  readonly versions: readonly string[];
  readonly endpoints: readonly string[];
  readonly defaultEndpoint: string;
  /** Keys that `configuration.properties` may have. */
  readonly properties: readonly string[];
  /** Applications: whether `start` may be left out. */
  readonly startOptional: boolean;
}

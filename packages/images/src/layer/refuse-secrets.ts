import type { LayerEntry } from './layer-entry.ts';
import type { SecretSearch } from './secret-search.ts';

/** Where in a layer a secret stands. */
export interface SecretPlace {
  readonly what: 'name' | 'target' | 'content';
  /** Of the entry; may hold the secret itself. */
  readonly path: string;
}

/** The same entries, until one holds a secret: then what `refuse` gives is thrown, of a large file while it is read. Constant memory. */
export async function* refuseSecrets(
  entries: AsyncIterable<LayerEntry>,
  search: SecretSearch,
  refuse: (place: SecretPlace) => Error,
): AsyncGenerator<LayerEntry> {
  if (search.isEmpty) return yield* entries;
  for await (const entry of entries) {
    const { path } = entry;
    if (search.find(Buffer.from(path))) throw refuse({ what: 'name', path });
    if (entry.kind === 'symlink' && search.find(Buffer.from(entry.target))) throw refuse({ what: 'target', path });
    if (entry.kind === 'file' && search.find(entry.content)) throw refuse({ what: 'content', path });
    yield entry.kind === 'large-file' ? watched(entry, search, () => refuse({ what: 'content', path })) : entry;
  }
}

type LargeFile = Extract<LayerEntry, { kind: 'large-file' }>;

/** Looked through each time it is read, so that nothing hangs on which of the readings becomes the layer. */
function watched(entry: LargeFile, search: SecretSearch, refusal: () => Error): LargeFile {
  return {
    ...entry,
    open: async function* () {
      const stream = search.stream();
      for await (const chunk of entry.open()) {
        if (stream.add(chunk)) throw refusal();
        yield chunk;
      }
    },
  };
}

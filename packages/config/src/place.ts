import type { SourcePosition } from '@coppice/model';

/** Where a value of the file stands, and where its key does; a tree of the same shape as the data. */
export interface Place {
  /** Of the key, or of the list entry. */
  readonly key: SourcePosition;
  readonly value: SourcePosition;
  /** How a scalar was written, so that `1.10` can stay text. */
  readonly written: string | undefined;
  readonly children: ReadonlyMap<string, Place>;
}

/** The place at a path of keys and indexes, or of the nearest value around it that exists. */
export function placeAt(root: Place, path: readonly string[]): Place {
  let place = root;
  for (const segment of path) {
    const next = place.children.get(segment);
    if (next === undefined) break;
    place = next;
  }
  return place;
}

/** The segments of a JSON pointer (RFC 6901). */
export function pointerSegments(pointer: string): string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

import type { TreeListing } from './tree-listing.ts';

/** Checked listings, the least recently used dropped first; bounded by the number of entries they hold together. */
export class ListingCache {
  readonly #maxEntries: number;
  readonly #listings = new Map<string, TreeListing>();
  #entries = 0;

  constructor(maxEntries = 150_000) {
    this.#maxEntries = maxEntries;
  }

  get(key: string): TreeListing | undefined {
    const listing = this.#listings.get(key);
    if (!listing) return undefined;
    this.#listings.delete(key);
    this.#listings.set(key, listing);
    return listing;
  }

  put(key: string, listing: TreeListing): void {
    if (this.#listings.has(key)) return;
    this.#listings.set(key, listing);
    this.#entries += cost(listing);
    for (const [oldest, old] of this.#listings) {
      if (this.#entries <= this.#maxEntries || oldest === key) return;
      this.#listings.delete(oldest);
      this.#entries -= cost(old);
    }
  }
}

function cost(listing: TreeListing): number {
  return listing.entries.length + 1;
}

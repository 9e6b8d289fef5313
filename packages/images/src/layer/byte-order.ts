const surrogate = /[\ud800-\udfff]/;

/** Orders text by its UTF-8 bytes, which is not the order of UTF-16 units that `<` gives. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  if (surrogate.test(a) || surrogate.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

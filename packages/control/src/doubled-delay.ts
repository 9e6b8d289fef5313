/** How long to wait after so many failures in a row, from one on: `firstMs`, doubled each time, `mostMs` at most. */
export function doubledDelay(failures: number, { firstMs, mostMs }: { readonly firstMs: number; readonly mostMs: number }): number {
  return Math.min(mostMs, firstMs * 2 ** (failures - 1));
}

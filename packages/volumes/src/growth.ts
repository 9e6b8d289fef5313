import type { FileSystemSpace, Share } from './btrfs-space.ts';

/** When an image is enlarged, and how far. */
export interface GrowthPolicy {
  /** Between 0 and 1: it grows when less of its data or metadata is free. */
  readonly freeShare: number;
  readonly maxBytes: number;
  /** What the image must leave of the host's file system, were it full. */
  readonly hostReserveBytes: number;
}

/** What came of looking whether the image is large enough. */
export type Growth =
  | { readonly kind: 'enough' }
  | { readonly kind: 'grown'; readonly fromBytes: number; readonly toBytes: number }
  | { readonly kind: 'blocked'; readonly by: 'maximum' | 'host' | 'not an image' };

const stepBytes = 64 * 1024 * 1024;

/**
 * The size an image should grow to: by half, by no less than 64 MiB, and never past the maximum or what the host has for it.
 * `spareBytes` is what the host would have free if the image were full: a sparse file that cannot be filled breaks the file system in it.
 */
export function decideGrowth({ space, spareBytes, policy }: GrowthQuestion): Growth {
  const { sizeBytes } = space;
  if (freeShare(space.data) >= policy.freeShare && freeShare(space.metadata) >= policy.freeShare) return { kind: 'enough' };
  const wanted = Math.min(policy.maxBytes - sizeBytes, Math.max(stepBytes, sizeBytes / 2));
  if (wanted < stepBytes) return { kind: 'blocked', by: 'maximum' };
  const possible = Math.min(wanted, spareBytes - policy.hostReserveBytes);
  if (possible < stepBytes) return { kind: 'blocked', by: 'host' };
  return { kind: 'grown', fromBytes: sizeBytes, toBytes: sizeBytes + Math.floor(possible / stepBytes) * stepBytes };
}

export interface GrowthQuestion {
  readonly space: FileSystemSpace;
  readonly spareBytes: number;
  readonly policy: GrowthPolicy;
}

function freeShare({ usedBytes, freeBytes }: Share): number {
  return freeBytes / (usedBytes + freeBytes);
}

import type { FileSystemSpace, Share } from './btrfs-space.ts';

/** When an image is enlarged, and how far. */
export interface GrowthPolicy {
  /** Between 0 and 1: it grows when less of its data or metadata is free. */
  readonly freeShare: number;
  /** It grows when less is free for data, or less than an eighth of what the host has left, whichever is smaller. */
  readonly freeBytes: number;
  readonly maxBytes: number;
  /** What the image must leave of the host's file system. */
  readonly hostReserveBytes: number;
}

/** What came of looking whether the image is large enough. */
export type Growth =
  | { readonly kind: 'enough' }
  | { readonly kind: 'grown'; readonly fromBytes: number; readonly toBytes: number }
  | { readonly kind: 'blocked'; readonly by: 'maximum' | 'host' | 'not an image' };

const mebibyte = 1024 * 1024;
const stepBytes = 64 * mebibyte;
/** What is given to the image is taken from the host at once. */
const largestStepBytes = 8 * 1024 * mebibyte;
const shareOfHost = 1 / 8;

/**
 * The size an image should grow to: by half, by no less than 64 MiB and no more than 8 GiB, and never past the maximum or what the host has
 * for it. `spareBytes` is what the host would have free if the image were full.
 */
export function decideGrowth({ space, spareBytes, policy }: GrowthQuestion): Growth {
  const { sizeBytes } = space;
  const wantedFree = Math.min(policy.freeBytes, spareBytes * shareOfHost);
  const hasData = freeShare(space.data) >= policy.freeShare && space.data.freeBytes >= wantedFree;
  if (hasData && freeShare(space.metadata) >= policy.freeShare) return { kind: 'enough' };
  const wanted = Math.min(policy.maxBytes - sizeBytes, Math.max(stepBytes, Math.min(largestStepBytes, sizeBytes / 2)));
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

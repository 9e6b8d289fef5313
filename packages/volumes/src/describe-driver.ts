import type { VolumeDriver } from './volumes.ts';

/** One sentence about a driver: where data lies, what a snapshot costs, whether quotas are enforced. What the host lacks is not in it. */
export function describeDriver({ name, place, costs, quota }: VolumeDriver): string {
  return `${name}${place === undefined ? '' : ` in ${place}`}: ${costs}; quota ${quota}`;
}

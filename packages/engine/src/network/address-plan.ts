import { createHash } from 'node:crypto';
import type { EnvironmentNetwork } from '../engine.ts';
import { formatBlock, formatIpv4, type Ipv4Block, overlap } from './ipv4.ts';

/** Everything that Coppice allocates on any server of a host: subnets in the lower half, stable addresses in the upper. */
export const coppiceRange = '10.208.0.0/12';
const firstSubnet = 10 * 2 ** 24 + 208 * 2 ** 16;
const blockDistance = 8 * 2 ** 16;
const slots = 2048;

/** A pair of /24 blocks that nothing in `taken` touches. */
export interface AddressSlot extends EnvironmentNetwork {
  readonly gateway: string;
}

/**
 * The first free pair at or after a place that the name decides, so that two servers seldom want the same one; undefined when
 * all 2048 are taken. A pair's block lies 10.8.0.0 above its subnet, so nobody else's subnets can lead into it.
 */
export function chooseSlot(name: string, taken: readonly Ipv4Block[]): AddressSlot | undefined {
  const start = createHash('sha256').update(name).digest().readUInt16BE(0) % slots;
  for (let step = 0; step < slots; step += 1) {
    const base = firstSubnet + ((start + step) % slots) * 256;
    const subnet: Ipv4Block = { base, prefix: 24 };
    const block: Ipv4Block = { base: base + blockDistance, prefix: 24 };
    if (taken.some((other) => overlap(other, subnet) || overlap(other, block))) continue;
    return { subnet: formatBlock(subnet), addressBlock: formatBlock(block), gateway: formatIpv4(base + 1) };
  }
  return undefined;
}

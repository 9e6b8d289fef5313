import { CoppiceError } from '@coppice/model';
import { formatIpv4, parseBlock } from './ipv4.ts';

/**
 * Which container of an environment has which address, for the time this process knows: so that an instance's rules stand before
 * it starts. What other processes left is learnt from labels through `note`.
 */
export class AddressReservations {
  /** Address to the node it belongs to, by environment. */
  readonly #nodes = new Map<string, Map<string, string>>();
  readonly #next = new Map<string, number>();

  /** Records an address that is in use. */
  note(environment: string, address: string, node: string): void {
    if (address !== '') this.#of(environment).set(address, node);
  }

  /** An address (.2 to .254 of the subnet) that nobody has; one that was just given back is not taken at once. `limit-exceeded` when full. */
  reserve(environment: string, subnet: string, node: string): string {
    const block = parseBlock(subnet);
    if (block === undefined) throw new CoppiceError('internal', `not a subnet: ${subnet}`);
    const taken = this.#of(environment);
    const start = this.#next.get(environment) ?? 0;
    for (let step = 0; step < 253; step += 1) {
      const offset = (start + step) % 253;
      const address = formatIpv4(block.base + 2 + offset);
      if (taken.has(address)) continue;
      this.#next.set(environment, offset + 1);
      taken.set(address, node);
      return address;
    }
    throw new CoppiceError('limit-exceeded', `all 253 addresses of the environment's network ${subnet} are in use`);
  }

  /** Gives an address back. */
  release(environment: string, address: string): void {
    this.#nodes.get(environment)?.delete(address);
  }

  /** Forgets the environment. */
  forget(environment: string): void {
    this.#nodes.delete(environment);
    this.#next.delete(environment);
  }

  /** All addresses in use with their nodes. */
  inUse(environment: string): ReadonlyMap<string, string> {
    return this.#nodes.get(environment) ?? new Map();
  }

  #of(environment: string): Map<string, string> {
    const known = this.#nodes.get(environment) ?? new Map<string, string>();
    this.#nodes.set(environment, known);
    return known;
  }
}

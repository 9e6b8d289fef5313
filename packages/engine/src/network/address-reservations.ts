import { CoppiceError } from '@coppice/model';
import { formatIpv4, parseBlock } from './ipv4.ts';

interface Reservation {
  readonly node: string;
  /** When its container was created, in this process' own count; undefined while that is under way. */
  confirmed: number | undefined;
}

/**
 * Which container of an environment has which address, for the time this process knows: so that an instance's rules stand before
 * it starts. What others made or removed is learnt from listings.
 */
export class AddressReservations {
  readonly #taken = new Map<string, Map<string, Reservation>>();
  readonly #next = new Map<string, number>();
  #count = 0;

  /** A mark in time, taken before a listing begins. */
  mark(): number {
    return this.#count;
  }

  /** Takes over a listing that began at `mark`: address to node. What it does not show and was not made since is free again. */
  learn(environment: string, listed: ReadonlyMap<string, string>, mark: number): void {
    const taken = this.#of(environment);
    for (const [address, { confirmed }] of taken) {
      if (confirmed !== undefined && confirmed <= mark && !listed.has(address)) taken.delete(address);
    }
    for (const [address, node] of listed) {
      if (address !== '' && !taken.has(address)) taken.set(address, { node, confirmed: mark });
    }
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
      taken.set(address, { node, confirmed: undefined });
      return address;
    }
    throw new CoppiceError('limit-exceeded', `all 253 addresses of the environment's network ${subnet} are in use`);
  }

  /** Says that the address' container exists: from now on listings decide. */
  confirm(environment: string, address: string): void {
    const reservation = this.#of(environment).get(address);
    if (reservation === undefined) return;
    this.#count += 1;
    reservation.confirmed = this.#count;
  }

  /** Gives an address back. */
  release(environment: string, address: string): void {
    this.#taken.get(environment)?.delete(address);
  }

  /** Forgets the environment. */
  forget(environment: string): void {
    this.#taken.delete(environment);
    this.#next.delete(environment);
  }

  /** All addresses in use with their nodes. */
  inUse(environment: string): ReadonlyMap<string, string> {
    return new Map([...(this.#taken.get(environment) ?? [])].map(([address, { node }]) => [address, node]));
  }

  #of(environment: string): Map<string, Reservation> {
    const known = this.#taken.get(environment) ?? new Map<string, Reservation>();
    this.#taken.set(environment, known);
    return known;
  }
}

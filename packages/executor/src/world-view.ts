import type { Engine, EngineListing, EnvironmentNetwork } from '@coppice/engine';
import { routeTableDigest } from '@coppice/model';
import type { Router } from '@coppice/router';
import { coalesced } from './coalesced.ts';
import type { EnvironmentContext } from './environment-context.ts';
import type { ServingSet } from './serving-set.ts';

interface Parts {
  readonly engine: Pick<Engine, 'inspect' | 'ensureNetwork' | 'applyPolicy'>;
  readonly router: Pick<Router, 'apply' | 'current'>;
  readonly context: EnvironmentContext;
  readonly serving: ServingSet;
}

/** The environment as the engine has it while a plan runs, and the swapping of what leads to its instances. */
export class WorldView {
  readonly #parts: Parts;
  /** A listing that was begun after the call; calls at the same time share one. */
  readonly look: () => Promise<EngineListing>;
  /** Brings the network policy up to what is there and what serves; calls at the same time share one. */
  readonly applyPolicy: () => Promise<void>;
  #network: Promise<EnvironmentNetwork> | undefined;
  #routing: Promise<void> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.look = coalesced(() => parts.engine.inspect(parts.context.environment));
    this.applyPolicy = coalesced(() => this.#swapPolicy());
  }

  /** The environment's network, created where it is missing. */
  network(): Promise<EnvironmentNetwork> {
    this.#network ??= this.#parts.engine.ensureNetwork(this.#parts.context.environment).catch((error: unknown) => {
      this.#network = undefined;
      throw error;
    });
    return this.#network;
  }

  /** Swaps the route table to what serves; does nothing where that is served already. One at a time. */
  applyRoutes(): Promise<void> {
    const swap = this.#routing.then(() => this.#swapRoutes());
    this.#routing = swap.catch(() => undefined); // heard by whoever asked for it
    return swap;
  }

  /** Takes instances out of addresses and routes before they end. */
  async retract(ids: readonly string[]): Promise<void> {
    const { context, serving } = this.#parts;
    const leaving = ids.filter((id) => serving.has(id));
    if (leaving.length === 0) return;
    const listing = await this.look();
    const before = routeTableDigest(context.routeTable(serving.of(listing)));
    serving.drop(leaving);
    if (routeTableDigest(context.routeTable(serving.of(listing))) !== before) await this.applyRoutes();
  }

  async #swapPolicy(): Promise<void> {
    const { engine, context, serving } = this.#parts;
    const listing = await this.look();
    if (!listing.network) return;
    const network = await this.network();
    await engine.applyPolicy(context.environment, context.policy({ listing, network, serving: serving.of(listing) }));
  }

  async #swapRoutes(): Promise<void> {
    const { router, context, serving } = this.#parts;
    const [listing, current] = await Promise.all([this.look(), router.current()]);
    const table = context.routeTable(serving.of(listing));
    const now = current.get(context.environment);
    if (now === routeTableDigest(table) || (now === undefined && table.entries.length === 0)) return;
    await router.apply(context.environment, table);
  }
}

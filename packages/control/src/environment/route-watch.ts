import type { Digest, EnvironmentId } from '@coppice/model';
import type { Router } from '@coppice/router';

/** Sees where the router no longer serves what it served at the last look: nothing else tells of a route that somebody changed. */
export class RouteWatch {
  readonly #router: Pick<Router, 'current'>;
  #before: ReadonlyMap<EnvironmentId, Digest> | undefined;

  constructor(router: Pick<Router, 'current'>) {
    this.#router = router;
  }

  /** Environments whose table is another than at the last call, or is not served as it was written; none at the first call. */
  async changed(): Promise<readonly EnvironmentId[]> {
    const now = await this.#router.current();
    const before = this.#before ?? now;
    this.#before = now;
    return [...new Set([...before.keys(), ...now.keys()])].filter((id) => before.get(id) !== now.get(id));
  }
}

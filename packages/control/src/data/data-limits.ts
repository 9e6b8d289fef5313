import type { EnvironmentId, EnvironmentSpec } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { Volumes } from '@coppice/volumes';
import { keepsData } from './touches-data.ts';

/** Of a node that keeps data and whose type and file say nothing. */
const defaultBytes = 5 * 1024 ** 3;

/** Bytes that an environment's data may take: the sum of its nodes' `disk`; `none` where no node keeps any. Pure. */
export function dataLimit({ nodes }: EnvironmentSpec): number | 'none' {
  const shares = nodes.filter(keepsData).map(({ resources }) => resources.diskBytes || defaultBytes);
  return shares.length === 0 ? 'none' : shares.reduce((sum, bytes) => sum + bytes, 0);
}

/** Keeps the data of environments within its limits. A new set knows none, and one that became another's data has that one's. */
export class DataLimits {
  readonly #volumes: Pick<Volumes, 'setQuota' | 'generation'>;
  /** What this process set, and of which data. */
  readonly #known = new Map<EnvironmentId, string>();

  constructor(volumes: Pick<Volumes, 'setQuota' | 'generation'>) {
    this.#volumes = volumes;
  }

  /** Does nothing where it was done; to be called after each change of data or of the limit, and once by each server: volumes forget. */
  async set({ id, desired }: Pick<EnvironmentRecord, 'id' | 'desired'>): Promise<void> {
    const bytes = desired.spec && desired.exists ? dataLimit(desired.spec) : 'none';
    const key = `${desired.dataGeneration} ${bytes}`;
    if (bytes === 'none' || this.#known.get(id) === key || (await this.#volumes.generation(id)) === undefined) return;
    await this.#volumes.setQuota(id, bytes);
    this.#known.set(id, key);
  }

  forget(id: EnvironmentId): void {
    this.#known.delete(id);
  }
}

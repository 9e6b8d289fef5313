import type { Desired } from '@coppice/model';
import type { EnvironmentRecord, Store } from '@coppice/state';
import type { DesiredData } from '../data/data-again.ts';

/**
 * What an environment goes back to: its live deployment's spec with the data it had, or not to exist; it then goes in the order that its
 * attempt declared.
 */
export function lastGood(store: Store, environment: EnvironmentRecord, data: DesiredData): Desired {
  const spec = environment.live && store.deployments.specOf(environment.live);
  const found = spec ? store.releases.getSpec(spec) : undefined;
  const { run } = environment.desired;
  const gone = store.environments.get(environment.id)?.desired.spec;
  return { ...data, exists: found !== undefined, run: found ? run : 'up', spec: found ?? gone, attempt: environment.live };
}

import type { Desired } from '@coppice/model';
import type { EnvironmentRecord, Store } from '@coppice/state';

/** What an environment goes back to: its live deployment's spec, or not to exist; it then goes in the order that its attempt declared. */
export function lastGood(store: Store, environment: EnvironmentRecord): Desired {
  const spec = environment.live && store.deployments.specOf(environment.live);
  const found = spec ? store.releases.getSpec(spec) : undefined;
  const { dataGeneration, run } = environment.desired;
  const gone = store.environments.get(environment.id)?.desired.spec;
  return { exists: found !== undefined, run: found ? run : 'up', spec: found ?? gone, dataGeneration, attempt: environment.live };
}

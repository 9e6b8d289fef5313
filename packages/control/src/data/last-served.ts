import { CoppiceError, type Deployment } from '@coppice/model';
import type { EnvironmentRecord, Store } from '@coppice/state';
import type { NewData } from '../environment/deploy-request.ts';
import { originOfData } from './origin-of-data.ts';

/**
 * The data that a deployment last served in an environment: the backup taken before its successor there. Throws `not-found` where there is none,
 * `conflict` where it serves still, or served another environment.
 */
export function lastServed(store: Store, environment: EnvironmentRecord, target: Deployment): NewData {
  if (target.environment !== environment.id) {
    const other = store.environments.get(target.environment)?.name ?? 'an environment that is gone';
    throw new CoppiceError('conflict', `${target.id} served the data of ${other}, not of ${environment.name}`, {
      hint: 'revert without its data, or bring over a backup of that environment: coppice backup restore ID --to ENV',
    });
  }
  if (environment.live === target.id) {
    throw new CoppiceError('conflict', `${target.id} serves now: the data that it last served is what is there`);
  }
  const later = store.deployments
    .list(environment.id, 10_000)
    .filter(({ sequence, status }) => sequence > target.sequence && status === 'succeeded')
    .sort((a, b) => a.sequence - b.sequence);
  const [successor] = later;
  const [backup] = successor ? store.backups.list({ environment: environment.id, before: successor.id }) : [];
  const origin = backup && originOfData(store, backup.spec);
  if (!backup || !origin) {
    throw new CoppiceError('not-found', `the data that ${target.id} last served is not kept`, {
      hint: 'see what is: coppice backup list; without its data: coppice revert DEPLOYMENT',
    });
  }
  return { origin, source: { from: backup.id, keep: true, aside: store.backups.newId() } };
}

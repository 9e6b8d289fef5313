import { CoppiceError, isClosed } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { Ports } from '../ports.ts';

type Asked = Pick<EnvironmentRecord, 'id' | 'name' | 'desired' | 'live'>;

/** Throws `conflict` where an environment is being deleted, or is still to get the data that it shall have. */
export async function refuseUnsettledData({ volumes }: Pick<Ports, 'volumes'>, { id, name, desired }: Asked): Promise<void> {
  const { exists, dataSource, dataGeneration } = desired;
  if (!exists) throw new CoppiceError('conflict', `${name} is being deleted`, { hint: 'wait until it is gone, and try again' });
  if (dataSource === undefined || (await volumes.generation(id)) === dataGeneration) return;
  throw new CoppiceError('conflict', `the data of ${name} is still being changed`, { hint: 'try again in a moment' });
}

/** Whether an environment holds foreign data that was not sanitised, or did not yet get its own back after that failed. */
export async function holdsClosedData({ volumes }: Pick<Ports, 'volumes'>, { id, desired }: Asked): Promise<boolean> {
  if (isClosed(desired)) return true;
  return desired.dataSource?.replacesClosed === true && (await volumes.generation(id)) !== desired.dataGeneration;
}

/**
 * The same where a deployment is not finished either, which may have given volumes other names than the release that serves knows: what there
 * is is neither copied nor replaced then.
 */
export async function refuseUnfinished(ports: Pick<Ports, 'volumes'>, environment: Asked): Promise<void> {
  await refuseUnsettledData(ports, environment);
  const { name, live, desired } = environment;
  if (live === undefined || (desired.attempt === live && desired.volumeMoves === undefined)) return;
  throw new CoppiceError('conflict', `a deployment of ${name} is not finished`, { hint: 'try again in a moment' });
}

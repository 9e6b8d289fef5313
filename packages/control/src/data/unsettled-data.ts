import { CoppiceError } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { Ports } from '../ports.ts';
import { pendingMoves } from './volume-moves.ts';

/**
 * Throws `conflict` where an environment is being deleted, or its data is still on its way: what its volumes hold now is not what its release
 * is about, so it is neither copied nor changed further.
 */
export async function refuseUnsettledData(
  { volumes }: Pick<Ports, 'volumes'>,
  { id, name, desired }: Pick<EnvironmentRecord, 'id' | 'name' | 'desired'>,
): Promise<void> {
  const { exists, dataSource, dataGeneration, volumeMoves } = desired;
  if (!exists) throw new CoppiceError('conflict', `${name} is being deleted`, { hint: 'wait until it is gone, and try again' });
  const isAnother = dataSource !== undefined && (await volumes.generation(id)) !== dataGeneration;
  const folders = async (): Promise<ReadonlySet<string>> => new Set((await volumes.inspect(id)).map(({ node }) => node));
  if (isAnother || (volumeMoves && pendingMoves(volumeMoves, await folders()).length > 0)) {
    throw new CoppiceError('conflict', `the data of ${name} is still being changed`, { hint: 'try again in a moment' });
  }
}

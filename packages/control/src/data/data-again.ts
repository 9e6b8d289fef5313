import type { Desired, EnvironmentId } from '@coppice/model';
import type { Ports } from '../ports.ts';
import { reversed } from './volume-moves.ts';

export type DesiredData = Pick<Desired, 'dataGeneration' | 'dataSource' | 'volumeMoves'>;

/**
 * The data that an environment goes back to when its attempt failed: what it held before, where the attempt brought other data, and every
 * volume under its old name. Looks at what became of it, since the server may have died in between.
 */
export async function dataAgain(ports: Pick<Ports, 'store' | 'volumes'>, id: EnvironmentId, desired: Desired): Promise<DesiredData> {
  const { dataGeneration, dataSource, volumeMoves, attempt } = desired;
  if (dataSource?.attempt !== undefined && dataSource.attempt === attempt) return await dataBefore(ports, id, desired);
  return { dataGeneration, ...(dataSource ? { dataSource } : {}), ...(volumeMoves ? { volumeMoves: reversed(volumeMoves) } : {}) };
}

/** The data that was there before `desired.dataSource` was to replace it, whether it did or not. */
export async function dataBefore(
  { store, volumes }: Pick<Ports, 'store' | 'volumes'>,
  id: EnvironmentId,
  { dataGeneration, dataSource }: Desired,
): Promise<DesiredData> {
  const isAside = (await volumes.snapshots()).some((copy) => copy.id === dataSource?.aside);
  if (!dataSource || !isAside) return { dataGeneration: (await volumes.generation(id)) ?? 0 };
  // Once aside, it comes back as data of a new generation, wherever the change was cut off.
  return { dataGeneration: dataGeneration + 1, dataSource: { from: dataSource.aside, keep: true, aside: store.backups.newId() } };
}

import { type Desired, type EnvironmentId, isClosed, type NodeSpec, type VolumeMove } from '@coppice/model';
import type { Ports } from '../ports.ts';
import { recordLaidAside } from './laid-aside.ts';
import { recordBackup } from './record-backup.ts';
import { undone } from './volume-moves.ts';

export type DesiredData = Pick<Desired, 'dataGeneration' | 'dataSource' | 'volumeMoves'>;

type DataPorts = Pick<Ports, 'store' | 'volumes' | 'clock' | 'settings'>;

/** A change of data that did not work out. */
export interface FailedChange {
  /** What it desired. */
  readonly tried: Desired;
  /** What was desired before it; undefined where the server died in between, and nobody knows any more. */
  readonly before: Desired | undefined;
}

/**
 * The data that an environment goes back to when its attempt failed: what it held before, where the attempt brought other data, and every
 * volume under its old name. Looks at what became of it, since the server may have died in between.
 */
export async function dataAgain(ports: DataPorts, id: EnvironmentId, failed: FailedChange): Promise<DesiredData> {
  const { dataGeneration, dataSource, attempt } = failed.tried;
  const isBrought = dataSource?.attempt !== undefined && dataSource.attempt === attempt;
  const data = isBrought ? await dataBefore(ports, id, failed) : { dataGeneration, ...(dataSource ? { dataSource } : {}) };
  if (data.dataGeneration !== dataGeneration) return data;
  const { volumeMoves: _, ...same } = data;
  return withMoves(same, await movesBack(ports, id, failed.tried));
}

/**
 * The data that was there before `tried.dataSource` replaced it. It comes back as data of a new generation, and what is put away for it is a
 * backup. Where nothing was there that may be seen, what is there now stays, closed if it is.
 */
export async function dataBefore({ store, volumes }: DataPorts, id: EnvironmentId, { tried, before }: FailedChange): Promise<DesiredData> {
  const { dataGeneration, dataSource, volumeMoves } = tried;
  const generation = await volumes.generation(id);
  if (generation !== dataGeneration || !dataSource) return before ? dataOf(before) : { dataGeneration: generation ?? 0 };
  const isKept =
    store.backups.get(dataSource.aside) !== undefined && (await volumes.snapshots()).some((copy) => copy.id === dataSource.aside);
  if (!isKept) return withMoves({ dataGeneration, dataSource }, volumeMoves ?? []);
  const aside = store.backups.newId();
  const environment = store.environments.get(id);
  // Requests may have been led to it before it failed.
  if (environment && !isClosed(tried))
    recordBackup(store, { id: aside, environment, kind: 'replaced', reason: 'a change of data that failed' });
  const over = isClosed(tried) ? ({ replacesClosed: true } as const) : {};
  return { dataGeneration: dataGeneration + 1, dataSource: { from: dataSource.aside, keep: true, aside, ...over } };
}

async function movesBack(ports: DataPorts, id: EnvironmentId, { volumeMoves, spec }: Desired): Promise<readonly VolumeMove[]> {
  const { store, volumes } = ports;
  if (!volumeMoves) return [];
  const folders = new Set<string>((await volumes.inspect(id)).map(({ node }) => node));
  const moves = undone(volumeMoves, { folders, newId: () => store.trash.newId() });
  const environment = store.environments.get(id);
  const ownerOf = (folder: string): NodeSpec | undefined => spec?.nodes.find(({ name }) => name === folder);
  if (environment) recordLaidAside(ports, environment, { moves, ownerOf });
  return moves;
}

function dataOf({ dataGeneration, dataSource, volumeMoves }: Desired): DesiredData {
  return withMoves({ dataGeneration, ...(dataSource ? { dataSource } : {}) }, volumeMoves ?? []);
}

function withMoves(data: DesiredData, moves: readonly VolumeMove[]): DesiredData {
  return moves.length > 0 ? { ...data, volumeMoves: moves } : data;
}

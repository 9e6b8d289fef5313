import type { DataChange } from './data-change.ts';
import type { MaybeId, StepList } from './step-list.ts';

/** What the data goes through, one after the other. */
export interface DataSteps {
  /** Waits for everybody who mounts what changes to be gone. */
  readonly first: MaybeId;
  /** Is waited for by everybody who mounts any data. */
  readonly last: MaybeId;
}

/** Adds the switch to other data, then the renames in it, where there are any. */
export function addDataSteps(list: StepList, change: DataChange | undefined, after: readonly MaybeId[] = []): DataSteps {
  const replaced = change?.switch && list.add({ kind: 'switch-data', ...change.switch }, after);
  const moves = change?.moves ?? [];
  const moved = moves.length === 0 ? undefined : list.add({ kind: 'move-volumes', moves }, replaced === undefined ? after : [replaced]);
  return { first: replaced ?? moved, last: moved ?? replaced };
}

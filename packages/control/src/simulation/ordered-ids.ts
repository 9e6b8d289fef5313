import type { SnapshotId } from '@coppice/model';
import type { Store } from '@coppice/state';

const letters = 'abcdefghijklmnopqrstuvwxyz234567';
const length = 16;

/**
 * A store whose ids of backups and of the trash sort as they were made: kept copies are listed by their ids, so with ids made by chance one
 * seed would be many histories.
 */
export function orderedIds(store: Store): Store {
  let made = 0;
  const next = (prefix: 'b' | 't'): string => {
    made += 1;
    return `${prefix}_${base32(made)}`;
  };
  return {
    ...store,
    backups: { ...store.backups, newId: () => next('b') as SnapshotId },
    trash: { ...store.trash, newId: () => next('t'), create: (trash) => store.trash.create({ id: next('t'), ...trash }) },
  };
}

function base32(value: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest = Math.floor(rest / letters.length))
    text = letters.charAt(rest % letters.length) + text;
  return text;
}

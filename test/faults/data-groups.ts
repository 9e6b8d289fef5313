import { branchKind, cloneKind, syncKind } from './copy-kinds.ts';
import type { CrashChange } from './crash-kind.ts';
import { crashAtEachEffect } from './crash-points.ts';
import { Diary } from './diary.ts';
import type { DiaryKind } from './diary-files.ts';
import type { FaultOptions } from './fault-groups.ts';
import type { FaultRow } from './fault-row.ts';
import { FaultServer } from './fault-server.ts';
import { backupKind, failingKind, restoreKind, revertKind } from './kept-kinds.ts';
import { bringBackKind, deleteKind, destroyKind, emptyKind, movedKind } from './trash-kinds.ts';

export interface DataFaultOptions extends FaultOptions {
  /** Only changes whose name has this in it. */
  readonly only?: string;
  /** See FaultServer. */
  readonly slack?: number;
}

/** Changes of one application's data, by what they are called. */
interface Suite {
  readonly diary: string;
  readonly like?: DiaryKind;
  readonly changes: Readonly<Record<string, (faulty: FaultServer, diary: Diary) => CrashChange>>;
}

const suites: readonly Suite[] = [
  {
    diary: 'diary',
    changes: {
      'new branch with a copy': cloneKind,
      'env branch': branchKind,
      sync: syncKind,
      backup: backupKind,
      restore: restoreKind.bind(undefined, 'side'),
      'restore of another environment': restoreKind.bind(undefined, 'main'),
      'branch with data deleted': deleteKind,
      'trash restored': bringBackKind,
      'trash emptied': emptyKind,
    },
  },
  {
    diary: 'closed',
    like: { sanitized: true },
    changes: { 'new branch with a sanitised copy': cloneKind, 'sync with sanitised data': syncKind },
  },
  {
    diary: 'rows',
    like: { database: true },
    changes: { 'new branch with a copy of PostgreSQL': cloneKind, 'restore of PostgreSQL': restoreKind.bind(undefined, 'side') },
  },
  { diary: 'past', changes: { 'revert with data': revertKind } },
  { diary: 'spoilt', changes: { 'push that fails': failingKind } },
  { diary: 'moving', changes: { 'push with moved': movedKind } },
  { diary: 'gate', changes: { 'push with allow-destroy': destroyKind } },
];

/** The server killed at the effects of each kind of change of data. */
export async function dataCrashRows({ every, print, only = '', slack }: DataFaultOptions): Promise<readonly FaultRow[]> {
  const faulty = await FaultServer.start({ slack });
  const rows: FaultRow[] = [];
  try {
    for (const { diary: project, like, changes } of suites) {
      const wanted = Object.entries(changes).filter(([name]) => name.includes(only));
      if (wanted.length === 0) continue;
      const diary = await Diary.open(faulty.server, project, like);
      for (const [name, change] of wanted) {
        const kind = { name, ...change(faulty, diary) };
        const first = 1 + ((rows.length * 3) % every);
        rows.push({ ...(await crashAtEachEffect(faulty, kind, { first, every, print })), group: 'copies' });
      }
      await faulty.server.api(diary.path, { method: 'DELETE' });
    }
    return rows;
  } finally {
    await faulty.stop();
  }
}

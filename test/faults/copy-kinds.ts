import { setTimeout as pause } from 'node:timers/promises';
import { type CrashChange, commanded, type Outcome } from './crash-kind.ts';
import type { Diary } from './diary.ts';
import type { FaultServer } from './fault-server.ts';

const side = 'side';
const scrubbed = 'scrubbed';

/** Branches that begin with a copy of what `main` holds, made by a push; what `main` acknowledges meanwhile is never lost. */
export function cloneKind(faulty: FaultServer, of: Diary): CrashChange {
  return copied(faulty, of, async () => await of.push(side));
}

/** The same by a command. */
export function branchKind(faulty: FaultServer, of: Diary): CrashChange {
  const body = { name: side, from: 'main' };
  return copied(faulty, of, async () => await commanded(faulty, `${of.path}/environments`, { body }));
}

function copied(faulty: FaultServer, of: Diary, make: () => Promise<Outcome>): CrashChange {
  let mark = '';
  const kind: CrashChange = {
    serves: of.host(),
    lostOf: async (posted) => await of.lostOf(posted),
    prepare: async () => {
      await of.remove(side);
      mark = of.next('mark');
      await of.write(mark);
    },
    act: make,
    repeat: async () => ((await of.has(side)) ? 'accepted' : await make()),
    wrong: async () => await wrongCopy(of, mark),
    neither: async () => ((await of.has(side)) ? await wrongCopy(of, mark) : undefined),
  };
  return of.isSanitized ? unseen(faulty, of, kind) : kind;
}

/** A branch that takes the data of `main` again. */
export function syncKind(faulty: FaultServer, of: Diary): CrashChange {
  const words = { mark: '', own: '' };
  const path = `${of.path}/environments/${side}/sync`;
  const sync = async (): Promise<Outcome> => await commanded(faulty, path, { body: { force: true } });
  const wrong = async (): Promise<string | undefined> => {
    if ((await of.entries(side)).includes(words.own)) return 'it holds what it wrote itself';
    return of.replacedHolds(side, words.own) ? await wrongCopy(of, words.mark) : 'what it wrote itself is lost';
  };
  const kind: CrashChange = {
    serves: of.host(),
    lostOf: async (posted) => await of.lostOf(posted),
    prepare: async () => {
      if (!(await of.has(side))) await of.push(side);
      Object.assign(words, { own: of.next('own'), mark: of.next('mark') });
      await of.write(words.own, side);
      await of.write(words.mark);
    },
    act: sync,
    repeat: sync,
    wrong,
    neither: async () => ((await of.entries(side)).at(-1) === words.own ? undefined : await wrong()),
  };
  return of.isSanitized ? unseen(faulty, of, kind) : kind;
}

/** What is wrong with a branch that shall hold what `main` did at one instant after it acknowledged the mark. */
async function wrongCopy(of: Diary, mark: string): Promise<string | undefined> {
  const [copy, all] = [await of.entries(side), await of.entries()];
  const length = copy.length;
  if (length <= all.indexOf(mark)) return `it has ${length} entries, and that which came before it is number ${all.indexOf(mark) + 1}`;
  const wrong = copy.findIndex((entry, index) => entry !== (of.isSanitized ? scrubbed : all[index]));
  return wrong < 0 ? undefined : `entry ${wrong + 1} of it is ${copy[wrong]}, that of main ${all[wrong]}`;
}

/** The same kind, asking the branch all the time for what nobody may see before it is scrubbed. */
function unseen({ server }: FaultServer, of: Diary, kind: CrashChange): CrashChange {
  const seen = new Set<string>();
  const look = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const { status, body } = await server
        .request(of.host(side), '/entries', { timeoutMs: 60_000 })
        .catch(() => ({ status: 0, body: '' }));
      const secret = status === 200 ? /"(?:mark-\d+|first|\d+-\d+-\d+)"/.exec(body)?.[0] : undefined;
      if (secret !== undefined) seen.add(secret);
      await pause(20);
    }
  };
  const watched = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    const done = new AbortController();
    // The last look may wait at the router until the branch serves again: what it sees counts at the next question.
    void look(done.signal);
    try {
      return await work();
    } finally {
      done.abort();
    }
  };
  const wrong = async (or: (() => Promise<string | undefined>) | undefined): Promise<string | undefined> =>
    seen.size > 0 ? `it showed ${[...seen].join()} before it was sanitised` : await or?.();
  return {
    ...kind,
    act: async () => await watched(kind.act),
    repeat: async () => await watched(kind.repeat),
    wrong: async () => await wrong(kind.wrong),
    neither: async () => await wrong(kind.neither),
  };
}

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asked, type CrashChange, commanded, type Outcome } from './crash-kind.ts';
import type { Diary } from './diary.ts';
import type { FaultServer } from './fault-server.ts';
import { keptOf, type TrashRow } from './whole-data.ts';

const side = 'side';

/** A branch that goes into the trash and comes back, and all that this can be asked about it. `main` is served meanwhile. */
class Thrown {
  readonly diary: Diary;
  readonly #faulty: FaultServer;
  #entry = '';

  constructor(faulty: FaultServer, diary: Diary) {
    this.diary = diary;
    this.#faulty = faulty;
  }

  get around(): Pick<CrashChange, 'serves' | 'lostOf'> {
    return { serves: this.diary.host(), lostOf: async (posted) => await this.diary.lostOf(posted) };
  }

  /** Of the branch's data in the trash. */
  get records(): readonly TrashRow[] {
    return keptOf(this.#faulty.server).trash.filter(({ branch, snapshot }) => branch === side && snapshot !== null);
  }

  /** What is wrong with it where it shall lie in the trash. */
  inTrash(): string | undefined {
    const [record, ...more] = this.records;
    if (!record || more.length > 0) return `it is ${this.records.length} times in the trash`;
    return this.diary.entriesKept(record.snapshot ?? '').includes(this.#entry) ? undefined : 'the trash lacks what it held';
  }

  /** What is wrong with it where it shall be there. */
  async isBack(): Promise<string | undefined> {
    if (this.records.length > 0) return 'it is in the trash, too';
    return (await this.diary.entries(side)).includes(this.#entry) ? undefined : 'it lacks what it held';
  }

  async isEither(): Promise<string | undefined> {
    return (await this.diary.has(side)) ? await this.isBack() : this.inTrash();
  }

  /** The branch is there, with a new entry, and nothing is in the trash. */
  async written(): Promise<void> {
    if (!(await this.diary.has(side))) await this.diary.push(side);
    this.#entry = this.diary.next('entry');
    await this.diary.write(this.#entry, side);
    await this.empty();
  }

  /** All that is in the trash. */
  async empty(): Promise<Outcome> {
    return (await asked(this.#faulty, `${this.diary.path}/trash`, { method: 'DELETE' })) ? 'accepted' : 'broken';
  }

  /** What is there no more is back. */
  async restore(): Promise<Outcome> {
    const [record] = this.records;
    return record ? await commanded(this.#faulty, `${this.diary.path}/trash/${record.id}/restore`) : 'accepted';
  }
}

/** A branch with data that is deleted. */
export function deleteKind(faulty: FaultServer, diary: Diary): CrashChange {
  const thrown = new Thrown(faulty, diary);
  return {
    ...thrown.around,
    prepare: async () => await thrown.written(),
    act: async () => await diary.remove(side),
    repeat: async () => await diary.remove(side),
    wrong: async () => ((await diary.has(side)) ? 'the branch is still there' : thrown.inTrash()),
    neither: async () => await thrown.isEither(),
  };
}

/** One that comes back from the trash. */
export function bringBackKind(faulty: FaultServer, diary: Diary): CrashChange {
  const thrown = new Thrown(faulty, diary);
  return {
    ...thrown.around,
    prepare: async () => {
      await thrown.written();
      await diary.remove(side);
    },
    act: async () => await thrown.restore(),
    repeat: async () => await thrown.restore(),
    wrong: async () => await thrown.isBack(),
    neither: async () => await thrown.isEither(),
  };
}

/** One that is deleted for good. */
export function emptyKind(faulty: FaultServer, diary: Diary): CrashChange {
  const thrown = new Thrown(faulty, diary);
  return {
    ...thrown.around,
    prepare: async () => {
      await thrown.written();
      await diary.remove(side);
    },
    act: async () => await thrown.empty(),
    repeat: async () => await thrown.empty(),
    wrong: async () => (thrown.records.length === 0 ? undefined : 'it is still in the trash'),
    neither: async () => (thrown.records.length === 0 ? undefined : thrown.inTrash()),
  };
}

/** A push that renames the node that keeps the data, to and fro. */
export function movedKind(_faulty: FaultServer, diary: Diary): CrashChange {
  let mark = '';
  const marked = async (): Promise<string | undefined> => ((await diary.entries()).includes(mark) ? undefined : 'what was written is gone');
  return {
    serves: diary.host(),
    lostOf: async (posted) => await diary.lostOf(posted),
    prepare: async () => {
      mark = diary.next('mark');
      await diary.write(mark);
      const { node } = diary.look;
      await diary.commit({ node: node === 'web' ? 'shop' : 'web', movedFrom: node });
    },
    act: async () => await diary.push('main'),
    repeat: async () => await diary.push('main'),
    wrong: marked,
    neither: marked,
  };
}

/** A push that takes a node away from its data; named again, it finds that. */
export function destroyKind({ server }: FaultServer, diary: Diary): CrashChange {
  let mark = '';
  const destroy = async (): Promise<Outcome> => await diary.push('main', ['allow-destroy=extra']);
  const file = (): string => join(server.data, 'volumes', diary.environment('main') ?? '', 'data/extra/data', mark);
  const kept = async (): Promise<string | undefined> => (existsSync(file()) ? undefined : 'what the node kept is gone');
  const inTrash = (): boolean =>
    keptOf(server).trash.some(({ folder, environment }) => folder === 'extra' && environment === diary.environment('main'));
  return {
    serves: diary.host(),
    lostOf: async (posted) => await diary.lostOf(posted),
    prepare: async () => {
      if (!diary.look.extra) {
        await diary.commit({ extra: true });
        await diary.push('main');
        if (mark !== '' && !existsSync(file())) throw new Error('a node that is named again does not find what it kept');
      }
      mark = diary.next('mark');
      writeFileSync(file(), mark);
      await diary.commit({ extra: false });
    },
    act: destroy,
    repeat: destroy,
    wrong: async () => (inTrash() ? await kept() : 'the node is not in the trash'),
    neither: kept,
  };
}

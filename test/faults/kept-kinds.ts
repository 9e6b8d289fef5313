import { asked, type CrashChange, commanded, type Outcome, pushed } from './crash-kind.ts';
import type { Diary } from './diary.ts';
import type { FaultServer } from './fault-server.ts';
import { keptOf } from './whole-data.ts';

const side = 'side';

/** Backups of `main`, while it writes. */
export function backupKind(faulty: FaultServer, diary: Diary): CrashChange {
  let mark = '';
  const path = `${diary.path}/environments/main/backups`;
  const make = async (): Promise<Outcome> => ((await asked(faulty, path)) ? 'accepted' : 'broken');
  const newest = (): readonly string[] => {
    const backup = keptOf(faulty.server).backups.find(
      ({ kind, environment }) => kind === 'manual' && environment === diary.environment('main'),
    );
    return backup ? diary.entriesKept(backup.id) : [];
  };
  const beginning = async (): Promise<string | undefined> => {
    const [kept, all] = [newest(), await diary.entries()];
    return kept.every((entry, index) => entry === all[index]) ? undefined : 'the newest backup is not what main held at an instant';
  };
  return {
    serves: diary.host(),
    lostOf: async (posted) => await diary.lostOf(posted),
    prepare: async () => {
      mark = diary.next('mark');
      await diary.write(mark);
    },
    act: make,
    repeat: make,
    wrong: async () => (newest().includes(mark) ? await beginning() : 'the newest backup lacks what was there'),
    neither: beginning,
  };
}

/** Restores into a branch, of its own backup or of one of `main`, which serves meanwhile. */
export function restoreKind(from: 'main' | 'side', faulty: FaultServer, of: Diary): CrashChange {
  const words = { backup: '', mark: '', late: '' };
  const restore = async (): Promise<Outcome> =>
    await commanded(faulty, `${of.path}/backups/${words.backup}/restore`, { body: { to: side } });
  const wrong = async (): Promise<string | undefined> => {
    const entries = await of.entries(side);
    if (entries.includes(words.late)) return 'what was written after the backup is still there';
    if (!entries.includes(words.mark)) return 'what the backup holds is not there';
    return of.replacedHolds(side, words.late) ? undefined : 'what it replaced is lost';
  };
  return {
    serves: of.host(),
    lostOf: async (posted) => await of.lostOf(posted),
    prepare: async () => {
      if (!(await of.has(side))) await of.push(side);
      words.mark = of.next('mark');
      await of.write(words.mark, from);
      const kept = await asked<{ readonly id: string }>(faulty, `${of.path}/environments/${from}/backups`);
      words.backup = kept?.id ?? '';
      words.late = of.next('late');
      await of.write(words.late, side);
    },
    act: restore,
    repeat: restore,
    wrong,
    neither: async () => ((await of.entries(side)).at(-1) === words.late ? undefined : await wrong()),
  };
}

/** Reverts with data of an application of its own, which is asked all the time. */
export function revertKind(faulty: FaultServer, past: Diary): CrashChange {
  const words = { target: '', answer: '', mark: '', late: '' };
  const environment = `${past.path}/environments/main`;
  const live = async (): Promise<string> => ((await (await faulty.server.api(environment)).json()) as { deployment: string }).deployment;
  const revert = async (): Promise<Outcome> =>
    await commanded(faulty, `${environment}/revert`, { body: { deployment: words.target, withData: true } });
  const wrong = async (): Promise<string | undefined> => {
    const [answer, entries] = [await past.answer(), await past.entries()];
    if (answer !== words.answer) return `it answers ${answer}, not ${words.answer}`;
    if (entries.includes(words.late)) return 'what was written later is still there';
    if (!entries.includes(words.mark)) return 'what it last served is not there';
    return past.replacedHolds('main', words.late) ? undefined : 'what it replaced is lost';
  };
  const isBefore = async (): Promise<boolean> => (await past.answer()) !== words.answer && (await past.entries()).includes(words.late);
  return {
    serves: past.host(),
    prepare: async () => {
      Object.assign(words, { target: await live(), answer: await past.answer(), mark: past.next('mark'), late: past.next('late') });
      await past.write(words.mark);
      await past.commit({ answer: past.next('version') });
      const outcome = await pushed(past.clone, 'HEAD:refs/heads/main', { force: true });
      if (outcome !== 'accepted') throw new Error(`what is to be reverted was ${outcome}`);
      await past.write(words.late);
    },
    act: revert,
    repeat: async () => ((await isBefore()) ? await revert() : 'accepted'),
    wrong,
    neither: async () => ((await isBefore()) ? undefined : await wrong()),
  };
}

/** Pushes what writes to the data and never serves, while requests wait: it is refused, and the data is given back by itself. */
export function failingKind(_faulty: FaultServer, diary: Diary): CrashChange {
  const words = { mark: '', spoilt: '' };
  const refused = async (): Promise<Outcome> => {
    const outcome = await diary.push('main');
    if (outcome === 'accepted') throw new Error('what never served was accepted');
    return outcome === 'refused' ? 'accepted' : outcome;
  };
  const kept = async (): Promise<string | undefined> =>
    (await diary.entries()).includes(words.mark) ? undefined : 'what was written before is gone';
  return {
    serves: diary.host(),
    lostOf: async (posted) => await diary.lostOf(posted),
    prepare: async () => {
      Object.assign(words, { mark: diary.next('mark'), spoilt: diary.next('spoilt') });
      await diary.write(words.mark);
      await diary.commit({ spoils: words.spoilt });
    },
    act: refused,
    repeat: refused,
    wrong: async () => {
      const entries = await diary.entries();
      // A server that died meanwhile left the first of the two attempts in the data.
      if (entries.filter((entry) => entry === words.spoilt).length > 1) return 'what the failed release wrote is still there';
      return diary.replacedHolds('main', words.spoilt) ? await kept() : 'what the failed release made of the data is lost';
    },
    neither: kept,
  };
}

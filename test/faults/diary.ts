import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clone, mustRun, type TestServer, until } from '../e2e/harness.ts';
import { type Outcome, pushed } from './crash-kind.ts';
import { type DiaryKind, type DiaryLook, diaryFiles, entryPlaces, plainDiary } from './diary-files.ts';
import { stateOf } from './whole.ts';
import { keptOf } from './whole-data.ts';

/**
 * An application that writes each entry into two mounts, on disk before it acknowledges it: so whoever sees both can tell whether they are
 * of one instant, and whether what was acknowledged is there.
 */
export class Diary {
  readonly clone: Clone;
  readonly name: string;
  readonly #server: TestServer;
  readonly #kind: DiaryKind;
  #look = plainDiary;
  #count = 0;
  #said = '';

  private constructor(server: TestServer, clone: Clone, { name, kind }: { readonly name: string; readonly kind: DiaryKind }) {
    this.#server = server;
    this.clone = clone;
    this.name = name;
    this.#kind = kind;
  }

  static async open(server: TestServer, name: string, kind: DiaryKind = {}): Promise<Diary> {
    const diary = new Diary(server, await server.project(name), { name, kind });
    await diary.clone.deploy(diaryFiles(plainDiary, kind));
    if (kind.database) await diary.#psql('main', 'CREATE TABLE entries (number serial, entry text)');
    await diary.write('first');
    return diary;
  }

  host(branch = 'main'): string {
    return `${branch}.${this.name}.localhost`;
  }

  /** Of the project in the API. */
  get path(): string {
    return `/v1/projects/${this.name}`;
  }

  get look(): DiaryLook {
    return this.#look;
  }

  /** Whether nobody may see its entries in a copy of it. */
  get isSanitized(): boolean {
    return this.#kind.sanitized ?? false;
  }

  /** A word that was not given before. */
  next(word: string): string {
    this.#count += 1;
    return `${word}-${this.#count}`;
  }

  /** Commits the files with that about them changed. */
  async commit(change: Partial<DiaryLook>): Promise<void> {
    this.#look = { ...this.#look, ...change };
    await this.clone.commit(diaryFiles(this.#look, this.#kind));
  }

  /** Whether the branch is there. */
  async has(branch: string): Promise<boolean> {
    return (await this.clone.git('ls-remote', 'origin', `refs/heads/${branch}`)) !== '';
  }

  /** What the client saw of the last push. */
  get said(): string {
    return this.#said;
  }

  /** Pushes what is committed to a branch. */
  async push(branch: string, options: readonly string[] = []): Promise<Outcome> {
    const hear = (output: string): void => {
      this.#said = output;
    };
    return await pushed(this.clone, `HEAD:refs/heads/${branch}`, { options, hear });
  }

  /** Deletes a branch; one that is gone is gone. */
  async remove(branch: string): Promise<Outcome> {
    return (await this.has(branch)) ? await pushed(this.clone, `:refs/heads/${branch}`) : 'accepted';
  }

  /** Writes an entry and resolves once it was acknowledged. */
  async write(entry: string, branch = 'main'): Promise<void> {
    const post = { method: 'POST', body: entry } as const;
    const isTaken = async (): Promise<boolean> => (await this.#server.request(this.host(branch), '/', post)).status === 200;
    await until(isTaken, { what: `${this.host(branch)} takes ${entry}`, everyMs: 50 });
    if (this.#kind.database) await this.#psql(branch, `INSERT INTO entries (entry) VALUES ('${entry}')`);
  }

  /** What a branch answers at its root. */
  async answer(branch = 'main'): Promise<string> {
    return (await this.#server.request(this.host(branch))).body;
  }

  /** The entries of a branch as it serves them. Throws where what holds them is not of one instant. */
  async entries(branch = 'main'): Promise<readonly string[]> {
    const { status, body } = await this.#server.request(this.host(branch), '/entries');
    if (status !== 200) throw new Error(`${this.host(branch)} answers ${status} ${body}`);
    const [kept = [], own = []] = JSON.parse(body) as readonly (readonly string[])[];
    const entries = ofOneInstant(this.host(branch), kept, own);
    if (!this.#kind.database) return entries;
    const rows = linesOf(await this.#psql(branch, 'SELECT entry FROM entries ORDER BY number'));
    // Entries of a load are in the files only.
    const inFiles = entries.filter((entry) => /^[a-z]/.test(entry));
    if (inFiles.join() === rows.join()) return entries;
    throw new Error(`${this.host(branch)}: files hold …${inFiles.slice(-3)}, rows …${rows.slice(-3)}`);
  }

  /** The entries in a kept copy, read from disk; none where there is no such copy. Throws as `entries` does. */
  entriesKept(id: string): readonly string[] {
    const [kept = [], own = []] = entryPlaces.map((place) => {
      const file = join(this.#server.data, 'volumes', `.kept-${id}`, 'data', this.#look.node, place, 'entries');
      return existsSync(file) ? linesOf(readFileSync(file, 'utf8')) : [];
    });
    return ofOneInstant(id, kept, own);
  }

  /** Whether a backup of what was replaced in a branch holds the entry. */
  replacedHolds(branch: string, entry: string): boolean {
    const environment = this.environment(branch);
    const { backups } = keptOf(this.#server);
    return backups.some(
      (backup) => backup.kind === 'replaced' && backup.environment === environment && this.entriesKept(backup.id).includes(entry),
    );
  }

  /** The id of a branch's environment; undefined where there is none. */
  environment(branch: string): string | undefined {
    return stateOf(this.#server).environments.find((row) => row.project === this.name && row.branch === branch)?.id;
  }

  /** What of these entries `main` does not hold, a line each. */
  async lostOf(posted: readonly string[]): Promise<readonly string[]> {
    const held = new Set(await this.entries());
    return posted.filter((entry) => !held.has(entry)).map((entry) => `${entry} was acknowledged and is lost`);
  }

  async #psql(branch: string, sql: string): Promise<string> {
    const labels = { server: this.#server.serverId, environment: this.environment(branch), node: 'db', kind: 'instance' };
    const filters = Object.entries(labels).flatMap(([label, value]) => ['--filter', `label=coppice.${label}=${value}`]);
    const [container = 'no-db'] = (await mustRun('docker', ['ps', '--quiet', ...filters])).split('\n');
    return await mustRun('docker', ['exec', container, 'psql', '-X', '-At', '-d', 'main', '-c', sql]);
  }
}

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  if (lines.at(-1) !== '') throw new Error(`an entry is torn: ${lines.at(-1)}`);
  return lines.slice(0, -1);
}

/** What both hold; the last entry may be on its way from one to the other. */
function ofOneInstant(where: string, kept: readonly string[], own: readonly string[]): readonly string[] {
  const isPrefix = own.every((entry, index) => entry === kept[index]);
  if (isPrefix && kept.length - own.length <= 1) return kept;
  throw new Error(`${where} is a mixture: ${kept.length} entries to …${kept.slice(-3)}, and ${own.length} to …${own.slice(-3)}`);
}

import { closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { guarded } from './sqlite-failure.ts';

const busyTimeoutMs = 5_000;

/** What may be bound to a named parameter; undefined is stored as NULL. */
export type Parameter = string | number | Buffer | undefined;
export type Parameters = Readonly<Record<string, Parameter>>;

/**
 * One SQLite file, opened durable, with statements prepared once. Throws CoppiceError: `conflict` for a broken UNIQUE, `not-found` for a
 * reference to nothing, `state-failed` for all else that SQLite refuses.
 */
export class Database {
  readonly #sqlite: Sqlite.Database;
  readonly #statements = new Map<string, Sqlite.Statement>();

  /** Opens the file at `path`, or makes it with mode 0600; its folder with mode 0700. */
  constructor(path: string) {
    this.#sqlite = guarded(`open ${path}`, () => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      // SQLite would make it readable to all; its journals take over the mode of the file.
      closeSync(openSync(path, constants.O_CREAT | constants.O_RDWR, 0o600));
      return openDurable(path);
    });
  }

  /** Runs a statement that changes rows; answers how many, and the row id of the last insert. */
  run(sql: string, parameters: Parameters = {}): { readonly changes: number; readonly rowId: number } {
    const result = guarded(sql, () => this.#prepare(sql).run(bindable(parameters)));
    return { changes: result.changes, rowId: Number(result.lastInsertRowid) };
  }

  /** The first row. `Row` says which columns the statement names. */
  get<Row>(sql: string, parameters: Parameters = {}): Row | undefined {
    return guarded(sql, () => this.#prepare(sql).get(bindable(parameters)) as Row | undefined);
  }

  /** All rows. */
  all<Row>(sql: string, parameters: Parameters = {}): readonly Row[] {
    return guarded(sql, () => this.#prepare(sql).all(bindable(parameters)) as Row[]);
  }

  /** Several statements without parameters and results: schemas. */
  script(sql: string): void {
    guarded('a script', () => this.#sqlite.exec(sql));
  }

  /** Version of the schema, as migrations count. */
  get version(): number {
    return guarded('read the version', () => Number(this.#sqlite.pragma('user_version', { simple: true })));
  }
  set version(value: number) {
    guarded('write the version', () => this.#sqlite.pragma(`user_version = ${Math.trunc(value)}`));
  }

  /** One of SQLite's settings, by its name, as it holds for this connection. */
  setting(name: 'journal_mode' | 'synchronous' | 'foreign_keys' | 'busy_timeout'): unknown {
    return guarded('read a setting', () => this.#sqlite.pragma(name, { simple: true }));
  }

  /** All of `work` or nothing; within another transaction it is a savepoint. What `work` throws goes through. */
  transaction<Result>(work: () => Result): Result {
    return guarded('a transaction', () => this.#sqlite.transaction(work).immediate());
  }

  /** Brings the journal into the file and closes it. */
  close(): void {
    guarded('close', () => this.#sqlite.close());
  }

  #prepare(sql: string): Sqlite.Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#sqlite.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

function openDurable(path: string): Sqlite.Database {
  const sqlite = new Sqlite(path, { timeout: busyTimeoutMs });
  sqlite.pragma('journal_mode = WAL');
  // The driver's default for WAL is NORMAL, with which an acknowledged commit can vanish at power loss.
  sqlite.pragma('synchronous = FULL');
  sqlite.pragma('foreign_keys = ON');
  return sqlite;
}

function bindable(parameters: Parameters): Record<string, string | number | Buffer | null> {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, value ?? null]));
}

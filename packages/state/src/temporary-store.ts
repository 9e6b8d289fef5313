import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Digest, type GitId, type Release, sha256 } from '@coppice/model';
import type { Clock } from './clock.ts';
import { Database } from './database.ts';
import { migrations } from './migrate.ts';
import { openStore } from './open-store.ts';
import type { EnvironmentRecord, Project, Store } from './store.ts';

/** For tests: a store in a directory that goes with the test. Its clock, where none is given, starts at 2026-01-02T03:04:05Z and moves a second at each look. */
export interface TemporaryStore {
  readonly store: Store;
  readonly directory: string;
}

export function temporaryStore(test: TestContext, clock: Clock = tickingClock()): TemporaryStore {
  const directory = mkdtempSync(join(tmpdir(), 'coppice-state-'));
  const store = openStore({ directory, clock });
  test.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  return { store, directory };
}

const fixtures = new URL('fixtures/', import.meta.url);

/** The versions of the state there were, this one included. */
export const stateVersions: readonly number[] = migrations.map(({ version }) => version);

/** A directory as that version of the state wrote it, which goes with the test. */
export function olderDirectory(test: TestContext, version: number): string {
  const directory = mkdtempSync(join(tmpdir(), 'coppice-state-'));
  test.after(() => rmSync(directory, { recursive: true }));
  const database = new Database(join(directory, 'state.db'));
  database.script(readFileSync(new URL(`version-${version}.sql`, fixtures), 'utf8'));
  database.close();
  copyFileSync(new URL(`version-${version}.key`, fixtures), join(directory, 'secret.key'));
  return directory;
}

/** A clock that moves a second at each look. */
export function tickingClock(): { now(): Date } {
  let time = Date.UTC(2026, 0, 2, 3, 4, 5);
  return {
    now: () => {
      const now = new Date(time);
      time += 1000;
      return now;
    },
  };
}

/** A project "shop" with the environment of the branch "main". */
export function shopWithMain(store: Store): { readonly project: Project; readonly main: EnvironmentRecord } {
  const project = store.projects.create('shop');
  return { project, main: store.environments.create({ project: project.name, name: 'main', branch: 'main', parent: undefined }) };
}

/** An id of a git object, made of one digit. */
export function gitId(digit: string): GitId {
  return digit.repeat(40) as GitId;
}

/** A release without nodes; releases of different `name` differ. */
export function emptyRelease(name = 'a'): Release {
  const backups = [{ schedule: name, keep: 1 }];
  return { v: 1, nodes: [], routes: [], environments: [], data: { sanitize: undefined }, backups };
}

/** The digest of a text, for values that only have to differ. */
export function digestNamed(text: string): Digest {
  return sha256(text);
}

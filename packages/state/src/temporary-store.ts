import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Digest, type GitId, type Release, sha256 } from '@coppice/model';
import { openStore } from './open-store.ts';
import type { EnvironmentRecord, Project, Store } from './store.ts';

/** For tests: a store in a directory that goes with the test. Its clock starts at 2026-01-02T03:04:05Z and moves a second at each look. */
export interface TemporaryStore {
  readonly store: Store;
  readonly directory: string;
}

export function temporaryStore(test: TestContext): TemporaryStore {
  const directory = mkdtempSync(join(tmpdir(), 'coppice-state-'));
  const store = openStore({ directory, clock: tickingClock() });
  test.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  return { store, directory };
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

import { readFileSync } from 'node:fs';
import type { FileTexts, TestServer } from '../e2e/harness.ts';

const own = ['coppice.yaml', 'server.js'];
/** What the guestbook needs too: the drivers of PostgreSQL and Redis. */
const shared = ['package.json', 'package-lock.json'];

/** Files of an application that keeps numbers in PostgreSQL, Redis and files; `version` changes its image and nothing else. */
export function numberedApplication(version: string): FileTexts {
  const texts = (folder: string, names: readonly string[]): FileTexts =>
    Object.fromEntries(names.map((name) => [name, readFileSync(new URL(`${folder}/${name}`, import.meta.url), 'utf8')]));
  return { ...texts('numbered-application', own), ...texts('../../examples/guestbook', shared), version };
}

interface Held {
  readonly count: number;
  readonly last: number;
}

/** What the stores hold. */
export interface NumberedState {
  readonly files: Held;
  readonly rows: Held;
  readonly keys: Held;
  /** Torn or changed ones, in words. */
  readonly wrong: readonly string[];
}

/** Asks an environment. Nothing may write to it meanwhile. */
export async function numberedState(server: TestServer, host: string): Promise<NumberedState> {
  const { status, body } = await server.request(host, '/state', { timeoutMs: 120_000 });
  if (status !== 200) throw new Error(`/state of ${host} answered ${status}: ${body}`);
  return JSON.parse(body) as NumberedState;
}

/** The numbers between which a copy ends: all that was answered before it was begun is in it, nothing that was sent after it ended. */
export interface Bounds {
  readonly answered: number;
  readonly sent: number;
}

/**
 * What is wrong with a copy. A number is in the files first, then in the rows, then among the keys, and answered after that; so in a copy of
 * one instant the files are at most one ahead of the keys, with the rows between them.
 */
export function wrongWith(state: NumberedState, { answered, sent }: Bounds): readonly string[] {
  const { files, rows, keys, wrong } = state;
  const gaps = Object.entries({ files, rows, keys }).flatMap(([name, { count, last }]) =>
    count === last ? [] : [`${name} have a gap: ${count} of ${last}`],
  );
  const told = `files ${files.last}, rows ${rows.last}, keys ${keys.last}; answered ${answered}, sent ${sent}`;
  const isOneInstant = files.last >= rows.last && rows.last >= keys.last && files.last - keys.last <= 1;
  return [
    ...wrong.slice(0, 5),
    ...gaps,
    ...(isOneInstant ? [] : [`not of one instant: ${told}`]),
    ...(keys.last >= answered ? [] : [`what was answered is missing: ${told}`]),
    ...(files.last <= sent ? [] : [`holds what was not sent yet: ${told}`]),
  ];
}

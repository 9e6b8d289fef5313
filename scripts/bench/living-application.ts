import { readFileSync } from 'node:fs';
import type { FileTexts } from '../../test/e2e/harness.ts';

const own = ['coppice.yaml', 'server.js'];
/** What the guestbook needs too: the drivers of PostgreSQL and Redis. */
const shared = ['package.json', 'package-lock.json'];

/** Files of an application whose data lies in PostgreSQL, Redis and a folder; `version` is in what is deployed and changes nothing. */
export function livingApplication(version: string): FileTexts {
  const texts = (folder: string, names: readonly string[]): FileTexts =>
    Object.fromEntries(names.map((name) => [name, readFileSync(new URL(`${folder}/${name}`, import.meta.url), 'utf8')]));
  return { ...texts('living-application', own), ...texts('../../examples/guestbook', shared), version };
}

/** What one request to `/fill` writes. */
export interface Part {
  readonly rows: number;
  readonly keys: number;
  readonly files: number;
}

const megabyte = 1_000_000;
const partMegabytes = 10;
/** Of Redis no more than this: it holds all in memory. */
const mostKeysMegabytes = 100;

/**
 * The parts that make so many megabytes (10^6 bytes), a multiple of 10: three tenths in files of 250 KB, a tenth but no more than 100 MB in
 * Redis in values of 10 KB, the rest in PostgreSQL in rows of 1 KB.
 */
export function partsOf(megabytes: number): readonly Part[] {
  return Array.from({ length: megabytes / partMegabytes }, (_, index) => {
    const keys = index < mostKeysMegabytes ? megabyte / 10_000 : 0;
    const rows = 6_000 + (keys === 0 ? megabyte / 1_000 : 0);
    return { rows, keys, files: (3 * megabyte) / 250_000 };
  });
}

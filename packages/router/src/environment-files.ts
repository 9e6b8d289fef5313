import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { CoppiceError, type EnvironmentId } from '@coppice/model';
import type { AssignedTable, SlotLayout } from './slot-assignment.ts';

/** Writes a file so that a crash leaves the old or the new one, whole and on the medium. */
export function writeDurably(path: string, content: string, options: { readonly mode: number; readonly group?: number }): void {
  const temporary = `${path}.new`;
  const handle = openSync(temporary, 'w', options.mode);
  try {
    writeFileSync(handle, content);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  if (options.group !== undefined) chownSync(temporary, -1, options.group);
  renameSync(temporary, path);
}

/**
 * What the router knows on disk: one file per environment, and the layout of the configuration that was started last. These are the
 * only truth; HAProxy's own files are made from them. Unreadable ones are CoppiceError `router-failed`.
 */
export class EnvironmentFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(this.#tables(), { recursive: true, mode: 0o700 });
  }

  #tables(): string {
    return join(this.#directory, 'environments');
  }

  tables(): Map<EnvironmentId, AssignedTable> {
    const tables = new Map<EnvironmentId, AssignedTable>();
    for (const name of readdirSync(this.#tables()).sort()) {
      if (!name.endsWith('.json')) continue;
      const table = this.#parse<AssignedTable>(join(this.#tables(), name));
      tables.set(table.environment, table);
    }
    return tables;
  }

  save(table: AssignedTable): void {
    writeDurably(join(this.#tables(), `${table.environment}.json`), JSON.stringify(table), { mode: 0o600 });
  }

  remove(environment: EnvironmentId): void {
    rmSync(join(this.#tables(), `${environment}.json`), { force: true });
  }

  layout(): SlotLayout | undefined {
    return this.#exists('layout.json') ? this.#parse<SlotLayout>(join(this.#directory, 'layout.json')) : undefined;
  }

  saveLayout(layout: SlotLayout): void {
    writeDurably(join(this.#directory, 'layout.json'), JSON.stringify(layout), { mode: 0o600 });
  }

  /** Random and kept: what stored credentials are salted with. */
  salt(): string {
    const path = join(this.#directory, 'salt');
    if (!this.#exists('salt')) writeDurably(path, randomBytes(16).toString('hex'), { mode: 0o600 });
    return readFileSync(path, 'utf8');
  }

  #exists(name: string): boolean {
    return readdirSync(this.#directory).includes(name);
  }

  #parse<T extends { readonly v: 1 }>(path: string): T {
    try {
      const value = JSON.parse(readFileSync(path, 'utf8')) as T;
      if (value.v !== 1) throw new TypeError(`version ${value.v} is not known`);
      return value;
    } catch (cause) {
      throw new CoppiceError('router-failed', `the router's file ${path} cannot be read`, { cause });
    }
  }
}

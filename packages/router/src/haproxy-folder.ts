import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from './environment-files.ts';
import {
  configurationDigest,
  configurationKey,
  digestsMap,
  type HaproxySettings,
  heldMap,
  renderConfiguration,
  routesMap,
  targetsMap,
} from './haproxy-config.ts';
import type { ProcessUser } from './haproxy-process.ts';
import { holdScriptFile } from './hold-script.ts';
import type { AssignedTable, SlotLayout } from './slot-assignment.ts';
import { isWakeSocket } from './wake-socket.ts';

/** What HAProxy sees of the router's folder: it may enter it, read configuration and maps, and write only its sockets. */
export class HaproxyFolder {
  readonly #directory: string;
  readonly #user: ProcessUser | undefined;

  constructor(directory: string, user: ProcessUser | undefined) {
    this.#directory = directory;
    this.#user = user;
  }

  /** Makes the folders where they are missing, and sets owners and modes. */
  prepare(): void {
    const run = this.#run();
    const folders = [
      [this.#directory, 0o710],
      [join(this.#directory, 'maps'), 0o750],
      [run, 0o700],
    ] as const;
    for (const [path, mode] of folders) {
      mkdirSync(path, { recursive: true });
      if (this.#user) chownSync(path, path === run ? this.#user.uid : 0, this.#user.gid);
      chmodSync(path, mode);
    }
  }

  /** Only while no HAProxy of ours runs. The socket for wakes is ours, and stays. */
  removeSockets(): void {
    if (!existsSync(this.#run())) return;
    for (const name of readdirSync(this.#run())) if (!isWakeSocket(name)) rmSync(join(this.#run(), name), { force: true });
  }

  /** Configuration and maps for these tables, read by the next worker. Not a word of it is needed later: tables are kept elsewhere. */
  writeConfiguration(content: {
    readonly settings: HaproxySettings;
    readonly layout: SlotLayout;
    readonly tables: readonly AssignedTable[];
  }): void {
    const { settings, layout, tables } = content;
    const digests = tables.map((table) => [table.environment, table.digest] as const);
    const maps: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
      [routesMap, tables.flatMap((table) => table.routes)],
      [targetsMap, tables.flatMap((table) => table.targets)],
      [heldMap, []],
      [digestsMap, [[configurationKey, configurationDigest(settings, layout)], ...digests]],
    ];
    for (const [path, entries] of maps) this.#write(path, entries.map(([key, value]) => `${key} ${value}\n`).join(''));
    this.#write(holdScriptFile, settings.hold.source);
    this.#write('haproxy.cfg', renderConfiguration(settings, layout, tables));
  }

  #write(path: string, content: string): void {
    writeDurably(join(this.#directory, path), content, { mode: 0o640, ...(this.#user ? { group: this.#user.gid } : {}) });
  }

  #run(): string {
    return join(this.#directory, 'run');
  }
}

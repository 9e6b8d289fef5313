import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun } from './run-program.ts';
import { mountsBelow } from './traces.ts';

const parent = '/var/tmp';
const prefix = 'coppice-test-';

/** A new folder for one test server, named after the process that owns it. */
export function makeFolder(): string {
  return mkdtempSync(join(parent, `${prefix}${process.pid}-`));
}

/** Folders of test processes that are gone: they were killed before they could clean up. */
export function orphanedFolders(): readonly string[] {
  return readdirSync(parent)
    .filter((name) => name.startsWith(prefix))
    .filter((name) => !existsSync(`/proc/${name.slice(prefix.length).split('-')[0]}`))
    .map((name) => join(parent, name));
}

/** Removes a folder with what is mounted in it. */
export async function removeFolder(folder: string): Promise<void> {
  for (const target of mountsBelow(folder)) await mustRun('umount', [target]);
  rmSync(folder, { recursive: true, force: true });
}

import { link, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

let counter = 0;

/** A name in `folder` that nobody else uses: where a file is written before it is renamed to its place. */
export function temporaryPath(folder: string): string {
  counter += 1;
  return join(folder, `${process.pid}-${counter}`);
}

/** Writes the whole content to `temporary`, syncs it, renames it to `path` and syncs the folder: a crash leaves all or nothing. */
export async function writeDurably(path: string, temporary: string, content: string | Uint8Array): Promise<void> {
  const file = await open(temporary, 'wx', 0o644);
  try {
    await file.writeFile(content);
    await file.datasync();
  } finally {
    await file.close();
  }
  await renameDurably(temporary, path);
}

/** Renames a file that is synced already, and syncs the folder it comes to lie in. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncFolder(dirname(to));
}

/** Gives the file of `from` a second name, which may exist already. False where the file systems cannot: the caller copies. */
export async function linkDurably(from: string, to: string, temporary: string): Promise<boolean> {
  try {
    await link(from, temporary);
  } catch (error) {
    if (isErrno(error, 'EXDEV') || isErrno(error, 'EPERM') || isErrno(error, 'EMLINK')) return false;
    throw error;
  }
  await renameDurably(temporary, to);
  // rename(2) does nothing where both names are one file already
  await rm(temporary, { force: true });
  return true;
}

/** Whether `error` is a failure of the system with that code, e.g. `ENOENT`. */
export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

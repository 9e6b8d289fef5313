import { open } from 'node:fs/promises';

/** Resolves when what was renamed in the folder is on disk. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

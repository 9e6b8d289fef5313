import { chmod, lchown, lstat, mkdir, open, readdir, rm, rmdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CoppiceError } from '@coppice/model';
import { isErrno } from '../store/durable-file.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Writes into a folder that a build has written in before. Whatever lies there may be hostile: no link in it is ever followed, since we
 * are root and it would lead out. Nobody else may write there meanwhile. Paths are relative, with `/`.
 */
export class HostFolder {
  readonly root: string;
  private readonly owner: Owner;
  /** Folders known to be real ones since the last time somebody else could write. */
  private known = new Set<string>();

  constructor(root: string, owner: Owner) {
    this.root = root;
    this.owner = owner;
  }

  /** To be called after something else wrote in the folder. */
  distrust(): void {
    this.known = new Set();
  }

  async putFile(path: string, file: { readonly content: Uint8Array; readonly executable: boolean }): Promise<void> {
    await this.putStream(path, file.executable, [file.content]);
  }

  async putStream(path: string, executable: boolean, content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const target = await this.place(path);
    const mode = executable ? 0o755 : 0o644;
    const handle = await this.replacing(target, () => open(target, 'wx', mode));
    try {
      for await (const chunk of content) await handle.writeFile(chunk);
      await handle.chown(this.owner.uid, this.owner.gid);
    } finally {
      await handle.close();
    }
  }

  async putLink(path: string, leadsTo: string): Promise<void> {
    const target = await this.place(path);
    await this.replacing(target, () => symlink(leadsTo, target));
    await lchown(target, this.owner.uid, this.owner.gid);
  }

  /** Makes the folder and those above it, in place of anything else that has the name. */
  async putFolder(path: string): Promise<void> {
    if (path === '' || path === '.' || this.known.has(path)) return;
    checkPath(path);
    const parent = dirname(path);
    await this.putFolder(parent);
    const target = join(this.root, path);
    if (!(await isFolder(target))) {
      await this.replacing(target, () => mkdir(target));
      await chmod(target, 0o755);
      await lchown(target, this.owner.uid, this.owner.gid);
    }
    this.known.add(path);
  }

  /** Removes what is there, with all below. */
  async remove(path: string): Promise<void> {
    checkPath(path);
    if (!(await this.liesBelowFolders(path))) return;
    await rm(join(this.root, path), { recursive: true, force: true });
    this.distrust();
  }

  /** Removes the folder if nothing is in it. */
  async removeIfEmpty(path: string): Promise<void> {
    checkPath(path);
    try {
      await rmdir(join(this.root, path));
      this.distrust();
    } catch (error) {
      if (!isErrno(error, 'ENOTEMPTY') && !isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTDIR')) throw error;
    }
  }

  /** Removes everything in it. */
  async clear(): Promise<void> {
    for (const name of await readdir(this.root)) await rm(join(this.root, name), { recursive: true, force: true });
    this.distrust();
  }

  private async place(path: string): Promise<string> {
    checkPath(path);
    await this.putFolder(dirname(path));
    return join(this.root, path);
  }

  private async replacing<Result>(target: string, make: () => Promise<Result>): Promise<Result> {
    try {
      return await make();
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
      await rm(target, { recursive: true, force: true });
      this.distrust();
      return make();
    }
  }

  private async liesBelowFolders(path: string): Promise<boolean> {
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
      if (!(await isFolder(join(this.root, folder)))) return false;
    }
    return true;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return false;
    throw error;
  }
}

function checkPath(path: string): void {
  if (path.split('/').some((segment) => segment === '' || segment === '.' || segment === '..')) {
    throw new CoppiceError('internal', `not a plain relative path: ${path}`);
  }
}

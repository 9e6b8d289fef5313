import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** What a copy must have in common with its source, for each path below a folder, the folder's own as ''. */
export function describeTree(root: string): ReadonlyMap<string, unknown> {
  const paths = ['', ...(readdirSync(root, { recursive: true }) as string[]).sort()];
  const firstNames = new Map<string, string>();
  return new Map(paths.map((path) => [path, describeFile(root, path, firstNames)]));
}

function describeFile(root: string, path: string, firstNames: Map<string, string>): unknown {
  const at = join(root, path);
  const found = lstatSync(at, { bigint: true });
  const { mode, uid, gid, mtimeNs, rdev, nlink, size } = found;
  const inode = `${found.dev} ${found.ino}`;
  const content = found.isFile() ? createHash('sha256').update(readFileSync(at)).digest('hex') : undefined;
  const target = found.isSymbolicLink() ? readlinkSync(at) : undefined;
  const isFolder = found.isDirectory();
  if (!isFolder && nlink > 1n && !firstNames.has(inode)) firstNames.set(inode, path);
  return {
    ...{ mode, uid, gid, mtimeNs, rdev, content, target, attributes: attributesOf(root, path) },
    // A folder's size and links are the file system's own.
    ...(isFolder ? {} : { size, nlink, sameAs: firstNames.get(inode), hasHoles: found.blocks * 512n < size / 2n }),
  };
}

/** Gives a file or folder an extended attribute, `NAME=VALUE`. tar is on every machine, setfattr is not. */
export function setAttribute(root: string, path: string, attribute: string): void {
  const [name, value] = attribute.split('=');
  const extra = `--pax-option=SCHILY.xattr.${name}:=${value}`;
  const input = execFileSync('tar', ['--create', '--format=pax', extra, '--no-recursion', '--file=-', '-C', root, path]);
  execFileSync('tar', ['--extract', ...attributes, '--file=-', '-C', root], { input });
}

const attributes = ['--xattrs', '--xattrs-include=*'];

function attributesOf(root: string, path: string): readonly string[] {
  const argv = ['--create', '--format=pax', ...attributes, '--no-recursion', '--file=-', '-C', root, `./${path}`];
  const archive = spawnSync('tar', argv, { maxBuffer: 64 * 1024 * 1024 });
  assert.equal(archive.status, 0, archive.stderr.toString());
  return [...archive.stdout.toString('latin1').matchAll(/SCHILY\.xattr\.([^\n]*)\n/g)].map(([, attribute = '']) => attribute).sort();
}

import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DataDirectory } from './data-directory.ts';

const passages = '/run/coppice';

/**
 * The path by which git's and HAProxy's own users get to DIR. That is DIR itself, which lets others pass from now on; where a folder
 * above it keeps others out, as those of mktemp do, it is a bind mount, since the mode of that folder is not ours to change. Where
 * mounting is not allowed it is DIR, and opening the repositories then says what is wrong.
 */
export async function openPassage({ root, serverId }: DataDirectory): Promise<string> {
  const inside = mountPoint(serverId);
  if (isMounted(inside)) return inside;
  if (process.getuid?.() !== 0) return root;
  chmodSync(root, 0o711);
  if (othersPass(dirname(root))) return root;
  mkdirSync(inside, { recursive: true, mode: 0o711 });
  return (await succeeds('mount', ['--bind', '--', root, inside])) ? inside : root;
}

/** Closes what `openPassage` opened, if it did. */
export async function closePassage({ serverId }: DataDirectory): Promise<void> {
  const inside = mountPoint(serverId);
  while (isMounted(inside)) if (!(await succeeds('umount', ['--', inside]))) return;
  if (existsSync(inside)) rmdirSync(inside);
}

function mountPoint(serverId: string): string {
  return join(passages, serverId);
}

function othersPass(folder: string): boolean {
  const passes = (statSync(folder).mode & 0o001) !== 0;
  return passes && (folder === dirname(folder) || othersPass(dirname(folder)));
}

function isMounted(folder: string): boolean {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[4] === folder);
}

async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  const child = spawn(program, args, { stdio: 'ignore' });
  return await new Promise((resolve) => {
    child.on('error', () => resolve(false));
    child.on('close', (code) => resolve(code === 0));
  });
}

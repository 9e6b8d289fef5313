import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, truncateSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A temporary folder for tests on real file systems. */
export interface Ground {
  readonly path: string;
  /** A folder below with a btrfs of that size, in a sparse file behind a loop device; resolves with its path. */
  readonly mountBtrfs: (name: string, bytes: number) => string;
  /** A folder below with a file system in memory, which cannot share blocks. */
  readonly mountMemory: (name: string, bytes: number) => string;
  /** Unmounts whatever is mounted below, and deletes all. */
  readonly remove: () => Promise<void>;
}

/** Unmounts newest first; what cannot be unmounted is never deleted. */
const cleanUp = `cat >/dev/null
grep -F " $1/" /proc/self/mountinfo | cut -d' ' -f5 | tac | while read -r place; do umount "$place" || umount --lazy "$place"; done
rm -rf --one-file-system "$1"`;

/** A process of its own waits for the end of ours, so that mounts and files go however we end, SIGKILL included. */
export function openGround(): Ground {
  const path = mkdtempSync(join(tmpdir(), 'coppice-volumes-'));
  const guard = spawn('sh', ['-c', cleanUp, 'sh', path], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  guard.unref();
  (guard.stdin as Socket).unref();
  const folder = (name: string): string => {
    mkdirSync(join(path, name));
    return join(path, name);
  };
  return {
    path,
    mountBtrfs(name, bytes) {
      const image = join(path, `${name}.image`);
      writeFileSync(image, '');
      truncateSync(image, bytes);
      execFileSync('mkfs.btrfs', ['--quiet', image]);
      const place = folder(name);
      execFileSync('mount', ['-o', 'loop', image, place]);
      return place;
    },
    mountMemory(name, bytes) {
      const place = folder(name);
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'coppice-test', place]);
      return place;
    },
    async remove() {
      guard.ref();
      const ended = once(guard, 'exit');
      guard.stdin.end();
      await ended;
    },
  };
}

import { existsSync } from 'node:fs';
import { readdir, readFile, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isInstalled, runProgram } from './run-program.ts';

/** One thing without which there can be no image, in words for people. */
export interface MissingPart {
  readonly part:
    | 'root'
    | 'btrfs-progs'
    | 'util-linux'
    | 'loop-devices'
    | 'kernel-btrfs'
    | 'empty-directory'
    | 'room'
    | 'image'
    | 'visible-mount';
  readonly message: string;
  readonly hint: string;
}

/** What is missing where all parts are there and making or mounting an image failed all the same. */
export function failedImage(error: unknown): MissingPart {
  const why = error instanceof Error ? error.message : String(error);
  return { part: 'image', message: `an image cannot be made and mounted: ${why}`, hint: 'see what failed; a container needs --privileged' };
}

/** What is missing where an image was mounted and the container engine did not see it. */
export const hiddenMount: MissingPart = {
  part: 'visible-mount',
  message: 'the container engine does not see what the server mounts: it runs in another mount namespace',
  hint: 'run dockerd in the mount namespace of the host, or let mounts propagate to it (mount --make-rshared)',
};

/** What of the host decides whether it can have a btrfs in an image. */
export interface HostFacts {
  readonly isRoot: boolean;
  /** Programs that are not there. */
  readonly missingPrograms: readonly string[];
  readonly hasLoopDevices: boolean;
  readonly kernelHasBtrfs: boolean;
  /** A mount hides what lies in its directory. */
  readonly isEmpty: boolean;
  readonly freeBytes: number;
}

const packageOf = new Map([
  ['btrfs', 'btrfs-progs'],
  ['mkfs.btrfs', 'btrfs-progs'],
  ['fallocate', 'util-linux'],
  ['losetup', 'util-linux'],
  ['mount', 'util-linux'],
  ['umount', 'util-linux'],
] as const);

/** All that is missing for an image of `sizeBytes`, 0 for one that is there already. */
export function missingParts(facts: HostFacts, sizeBytes: number): readonly MissingPart[] {
  const missing: MissingPart[] = [];
  const lack = (isMissing: boolean, part: MissingPart['part'], message: string, hint: string): void => {
    if (isMissing) missing.push({ part, message, hint });
  };
  lack(!facts.isRoot, 'root', 'the server does not run as root, so it cannot mount', 'start it as root');
  for (const name of new Set(packageOf.values())) {
    const programs = facts.missingPrograms.filter((program) => packageOf.get(program as 'btrfs') === name);
    lack(programs.length > 0, name, `not installed: ${programs.join(', ')}`, `npm run setup, or install the package ${name}`);
  }
  lack(!facts.hasLoopDevices, 'loop-devices', 'there is no loop device to be had', 'modprobe loop; a container needs --privileged');
  lack(!facts.kernelHasBtrfs, 'kernel-btrfs', 'the kernel has no btrfs', 'modprobe btrfs, or a kernel with CONFIG_BTRFS_FS');
  lack(
    !facts.isEmpty,
    'empty-directory',
    'the directory holds something, which a mount would hide',
    'to have snapshots: coppice server move-volumes --data DIR, then start the server',
  );
  lack(
    facts.freeBytes < sizeBytes,
    'room',
    `an image of ${sizeBytes} bytes has no room: ${facts.freeBytes} are free`,
    'make room, or take a smaller image',
  );
  return missing;
}

/** Looks at the host; loads the kernel's module where there is one. `image` need not exist, its folder must. */
export async function readHostFacts({ directory, image }: { readonly directory: string; readonly image: string }): Promise<HostFacts> {
  const { bavail, bsize } = await statfs(dirname(image));
  return {
    isRoot: process.geteuid?.() === 0,
    missingPrograms: [...packageOf.keys()].filter((program) => !isInstalled(program)),
    hasLoopDevices: existsSync('/dev/loop-control'),
    kernelHasBtrfs: (await knowsBtrfs()) || (isInstalled('modprobe') && (await loadBtrfs())),
    isEmpty: (await readdir(directory)).length === 0,
    freeBytes: bavail * bsize,
  };
}

async function loadBtrfs(): Promise<boolean> {
  await runProgram('modprobe', ['--quiet', 'btrfs']);
  return knowsBtrfs();
}

async function knowsBtrfs(): Promise<boolean> {
  return /^\s*btrfs$/m.test(await readFile('/proc/filesystems', 'utf8'));
}

import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';

/**
 * The kernel's switch for the clock of one control group. A group that is gone is not frozen, and nothing happens to it. Calls do not
 * block: the files are the kernel's.
 */
export interface CgroupFreezer {
  /** Tells all its processes to stand still. Each does once it is out of the system call it is in; to be told again until all do. */
  freeze(): void;
  /** Lets them go on, at once. */
  thaw(): void;
  /** `freezing`: told to, and not all of them stand still yet. */
  state(): 'thawed' | 'freezing' | 'frozen';
}

/** A control group, of version 1 (its freezer hierarchy) or 2. */
export interface Cgroup {
  readonly version: 1 | 2;
  readonly directory: string;
}

const root = '/sys/fs/cgroup';

/** The switch of the group that the process is in. Undefined where that is not the container's (a process id may be another's by now) or cannot be written. */
export function freezerOfProcess(pid: number, container: string): CgroupFreezer | undefined {
  const membership = pid > 0 ? readIfThere(`/proc/${pid}/cgroup`) : undefined;
  const group = membership === undefined ? undefined : cgroupOf(membership, container);
  return group === undefined ? undefined : freezerOf(group);
}

/** Whether no process of that number runs, one that nobody has asked yet how it ended aside. */
export function hasEnded(pid: number): boolean {
  const stat = pid > 0 ? readIfThere(`/proc/${pid}/stat`) : undefined;
  return stat === undefined || /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
}

/** The container's group, from the text of a `/proc/PID/cgroup` (cgroups(7)): lines of `hierarchy:controllers:path`. */
export function cgroupOf(membership: string, container: string): Cgroup | undefined {
  const groups = membership.split('\n').map((line) => /^(\d+):([^:]*):(.*)$/.exec(line)?.slice(1) ?? []);
  const [, , first] = groups.find(([, controllers = '']) => controllers.split(',').includes('freezer')) ?? [];
  const [, , second] = groups.find(([hierarchy, controllers]) => hierarchy === '0' && controllers === '') ?? [];
  const path = first ?? second;
  if (path === undefined || !path.includes(container) || path.split('/').includes('..')) return undefined;
  return first === undefined ? { version: 2, directory: `${root}${path}` } : { version: 1, directory: `${root}/freezer${path}` };
}

/** The switch of a group; undefined where there is none that we may write. */
export function freezerOf({ version, directory }: Cgroup): CgroupFreezer | undefined {
  const file = `${directory}/${version === 1 ? 'freezer.state' : 'cgroup.freeze'}`;
  const [frozen, thawed] = version === 1 ? ['FROZEN', 'THAWED'] : ['1', '0'];
  if (!mayWrite(file)) return undefined;
  return {
    freeze: () => writeIfThere(file, frozen),
    thaw: () => writeIfThere(file, thawed),
    state() {
      const word = readIfThere(file)?.trim() ?? thawed;
      if (word === thawed) return 'thawed';
      const stands = version === 1 ? word === frozen : readIfThere(`${directory}/cgroup.events`)?.includes('frozen 1') !== false;
      return stands ? 'frozen' : 'freezing';
    },
  };
}

function mayWrite(file: string): boolean {
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** What the kernel answers for a process or group that is gone, before or while its file is open. */
const goneCodes: ReadonlySet<unknown> = new Set(['ENOENT', 'ENODEV', 'ESRCH']);

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && goneCodes.has(error.code);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function writeIfThere(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'r+' });
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

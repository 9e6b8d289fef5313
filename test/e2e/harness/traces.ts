import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mustRun } from './run-program.ts';

/** Where the things of a server are looked for. */
export interface ServerIdentity {
  readonly serverId: string;
  /** Its data directory. */
  readonly data: string;
}

/** All that a server has on this machine outside of its data directory, one line each; empty where nothing is left. */
export async function tracesOf({ serverId, data }: ServerIdentity): Promise<readonly string[]> {
  const label = `label=coppice.server=${serverId}`;
  const containers = await lines('docker', ['ps', '--all', '--filter', label, '--format', '{{.Names}}']);
  const networks = await lines('docker', ['network', 'ls', '--filter', label, '--format', '{{.Name}}']);
  const tables = (await lines('nft', ['list', 'tables'])).filter((line) => line.includes(serverId));
  const loops = (await lines('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'])).filter((line) => line.includes(data));
  return [
    ...containers.map((name) => `container ${name}`),
    ...networks.map((name) => `network ${name}`),
    ...tables.map((table) => `rules ${table}`),
    ...loops.map((file) => `loop device of ${file}`),
    ...[...mountsBelow(data), ...mountsBelow(`/run/coppice/${serverId}`)].map((path) => `mount ${path}`),
    ...processesOf({ serverId, data }).map((process) => `process ${process}`),
  ];
}

/** Mount points below a folder, the deepest first. */
export function mountsBelow(folder: string): readonly string[] {
  const targets = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '');
  return targets
    .filter((target) => target === folder || target.startsWith(`${folder}/`))
    .sort()
    .reverse();
}

function processesOf({ serverId, data }: ServerIdentity): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .flatMap((pid) => {
      const { folder, command } = describeProcess(pid);
      return isWithin(folder, [data, `/run/coppice/${serverId}`]) || command.includes(data) ? [`${pid} ${command}`] : [];
    });
}

function isWithin(folder: string, roots: readonly string[]): boolean {
  return roots.some((root) => folder === root || folder.startsWith(`${root}/`));
}

function describeProcess(pid: string): { readonly folder: string; readonly command: string } {
  try {
    return { folder: readlinkSync(`/proc/${pid}/cwd`), command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') };
  } catch (error) {
    // It ended while we looked, or belongs to the machine around ours.
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ESRCH', 'EACCES'].includes(String(error.code)))
      return { folder: '', command: '' };
    throw error;
  }
}

async function lines(program: string, args: readonly string[]): Promise<readonly string[]> {
  return (await mustRun(program, args)).split('\n').filter((line) => line.trim() !== '');
}

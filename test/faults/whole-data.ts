import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { mountsBelow } from '../e2e/harness/traces.ts';
import { mustRun, type TestServer } from '../e2e/harness.ts';

/** A backup as the state has it. */
export interface BackupRow {
  readonly id: string;
  readonly environment: string;
  readonly kind: string;
}

/** What lies in the trash: a whole set that was put aside, or a folder of one that is there. */
export interface TrashRow {
  readonly id: string;
  readonly environment: string;
  readonly branch: string;
  readonly folder: string | null;
  readonly snapshot: string | null;
}

interface DataRow {
  readonly id: string;
  readonly live: string | null;
  readonly data_generation: number;
  readonly data_source: string | null;
  readonly volume_moves: string | null;
  readonly keep_data: string | null;
  /** Of the live deployment. */
  readonly spec: string | null;
}

interface Kept {
  readonly backups: readonly BackupRow[];
  readonly trash: readonly TrashRow[];
  readonly environments: readonly DataRow[];
}

/** What the state says of data, read beside the server. */
export function keptOf(server: TestServer): Kept {
  const database = new DatabaseSync(join(server.data, 'state.db'), { readOnly: true });
  const all = <Row>(sql: string): readonly Row[] => database.prepare(sql).all() as unknown as Row[];
  try {
    return {
      backups: all<BackupRow>('SELECT id, environment, kind FROM backups ORDER BY sequence DESC'),
      trash: all<TrashRow>('SELECT id, environment, branch, folder, snapshot FROM trash ORDER BY sequence DESC'),
      environments: all<DataRow>(
        `SELECT e.id, e.live, e.data_generation, e.data_source, e.volume_moves, e.keep_data, s.json AS spec
         FROM environments e LEFT JOIN deployments d ON d.id = e.live LEFT JOIN specs s ON s.digest = d.spec`,
      ),
    };
  } finally {
    database.close();
  }
}

/**
 * What is wrong with the data of a server that is to be at rest: undefined where each set is that of an environment and holds what that
 * desires, each kept copy is named by a record and each record has its copy, the trash names what no node uses, and nothing is frozen,
 * closed, half made or mounted besides.
 */
export async function wrongData(server: TestServer): Promise<string | undefined> {
  const kept = keptOf(server);
  const folders = readdirSync(join(server.data, 'volumes')).sort();
  const pending = kept.environments.find(({ volume_moves, keep_data }) => volume_moves !== null || keep_data !== null);
  if (pending) return `${pending.id} still desires to move or keep data`;
  const closed = kept.environments.find(({ data_source }) => data_source?.includes('"sanitize"'));
  if (closed) return `${closed.id} is still closed`;
  return (
    wrongFolders(folders, kept) ??
    kept.environments.map((row) => wrongSet(server, row, kept.trash)).find((wrong) => wrong !== undefined) ??
    (await wrongMounts(server)) ??
    (await frozen(server))
  );
}

function wrongFolders(folders: readonly string[], { backups, trash, environments }: Kept): string | undefined {
  const copies = folders.filter((name) => name.startsWith('.kept-')).map((name) => name.slice('.kept-'.length));
  const named = [...backups.map(({ id }) => id), ...trash.flatMap(({ snapshot }) => snapshot ?? [])];
  const orphans = copies.filter((id) => !named.includes(id));
  if (orphans.length > 0) return `kept copies that nothing names: ${orphans.join()}`;
  const missing = named.filter((id) => !copies.includes(id));
  if (missing.length > 0) return `backups or trash whose copy is gone: ${missing.join()}`;
  const sets = environments.map(({ id }) => id);
  const strange = folders.filter((name) => !name.startsWith('.kept-') && !sets.includes(name));
  return strange.length === 0 ? undefined : `sets of nobody, or half made: ${strange.join()}`;
}

/** Whether the set is of the desired generation, and its folders are those that nodes use or the trash names. */
function wrongSet(server: TestServer, { id, data_generation, spec }: DataRow, trash: readonly TrashRow[]): string | undefined {
  const folder = join(server.data, 'volumes', id);
  if (!existsSync(folder)) return undefined;
  const { generation = 0 } = JSON.parse(readFileSync(join(folder, 'owner.json'), 'utf8')) as { readonly generation?: number };
  if (generation !== data_generation) return `${id} holds data ${generation}, and ${data_generation} is desired`;
  const inTrash = trash.flatMap((record) => (record.environment === id && record.folder !== null ? [record.folder] : []));
  const held = readdirSync(join(folder, 'data'));
  const unnamed = held.filter((name) => !inTrash.includes(name) && !usedBy(spec).includes(name));
  if (unnamed.length > 0) return `${id} holds what no node uses and no trash names: ${unnamed.join()}`;
  const gone = inTrash.filter((name) => !held.includes(name) || usedBy(spec).includes(name));
  return gone.length === 0 ? undefined : `the trash of ${id} names what is gone or used: ${gone.join()}`;
}

interface SpecShape {
  readonly nodes: readonly {
    readonly name: string;
    readonly mounts: readonly { readonly source: string; readonly node?: string | null }[];
  }[];
}

function usedBy(spec: string | null): readonly string[] {
  const { nodes } = JSON.parse(spec ?? '{"nodes":[]}') as SpecShape;
  return nodes.flatMap(({ name, mounts }) => mounts.flatMap(({ source, node }) => (source === 'tmp' ? [] : [node ?? name])));
}

/** The file system of the volumes is the only one, in the only loop device. */
async function wrongMounts({ data }: TestServer): Promise<string | undefined> {
  const mounts = mountsBelow(data).filter((path) => path !== join(data, 'volumes'));
  if (mounts.length > 0) return `mounts are left: ${mounts.join()}`;
  const files = (await mustRun('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'])).split('\n');
  const loops = files.filter((file) => file.includes(data));
  return loops.length <= 1 ? undefined : `loop devices are left: ${loops.join()}`;
}

async function frozen(server: TestServer): Promise<string | undefined> {
  for (const { Name, State } of await server.containers()) {
    if (State.Pid > 0 && stands(State.Pid)) return `${Name} is frozen`;
  }
  return undefined;
}

/** Whether the control group of a process is frozen, of version 1 or 2. */
function stands(pid: number): boolean {
  const file = `/proc/${pid}/cgroup`;
  if (!existsSync(file)) return false;
  return readFileSync(file, 'utf8')
    .split('\n')
    .some((line) => {
      const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      if (path === '' || path === '/') return false;
      const state = controllers.includes('freezer') ? `/sys/fs/cgroup/freezer${path}/freezer.state` : `/sys/fs/cgroup${path}/cgroup.freeze`;
      return existsSync(state) && !['0', 'THAWED'].includes(readFileSync(state, 'utf8').trim());
    });
}

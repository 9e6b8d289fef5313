import { CoppiceError, type EnvironmentId, isClosed, type SnapshotId } from '@coppice/model';
import type { BackupRecord, TrashRecord } from '@coppice/state';
import { closedData } from '../data/capture.ts';
import type { BackupView, DataCommands, TrashView } from '../data-commands.ts';
import { environmentNamed, projectNamed } from '../history/find.ts';
import type { CommandParts } from './parts.ts';

/** Backups, copies, trash and garbage. */
export function dataCommands(parts: CommandParts): DataCommands {
  const { ports, changer, brancher, keeper } = parts;
  const { store, volumes } = ports;
  return {
    createBackup: async (project, name, actor) => {
      const environment = environmentNamed(store, project, name);
      if (isClosed(environment.desired)) throw closedData(environment);
      return { id: await changer.backUp(environment, { actor, cause: `asked for by ${actor}`, kind: 'manual' }) };
    },
    listBackups: async (project, name) => {
      projectNamed(store, project);
      const of = name === undefined ? {} : { environment: idOf(parts, project, name) };
      const there = new Set((await volumes.snapshots()).map(({ id }) => id));
      const backups = store.backups.list({ project, ...of }).filter(({ id }) => there.has(id));
      return await Promise.all(backups.map((backup) => backupView(parts, backup)));
    },
    restoreBackup: async (project, id, { to, actor }) => {
      const backup = store.backups.get(id as SnapshotId);
      if (backup?.project !== project) {
        throw new CoppiceError('not-found', `project "${project}" has no backup "${id}"`, { hint: 'list them: coppice backup list' });
      }
      const own = to === '' ? store.environments.get(backup.environment) : undefined;
      if (to === '' && !own) {
        throw new CoppiceError('not-found', `${backup.environmentName} is gone`, { hint: 'say into which environment: --to ENV' });
      }
      return { activity: changer.restore(own ?? environmentNamed(store, project, to), backup.id, actor) };
    },
    sync: async (project, name, options) => ({ activity: changer.sync(environmentNamed(store, project, name), options) }),
    branch: async (project, request) => {
      projectNamed(store, project);
      return { activity: brancher.branch(project, request) };
    },
    listVolumes: async (project, name) => await volumes.volumeUsage(environmentNamed(store, project, name).id),
    listTrash: async (project) => {
      projectNamed(store, project);
      return await Promise.all(store.trash.list({ project }).map((record) => trashView(parts, record)));
    },
    restoreTrash: async (project, id, actor) => {
      const record = store.trash.get(id);
      if (record?.project !== project) {
        throw new CoppiceError('not-found', `nothing in the trash of project "${project}" is "${id}"`, {
          hint: 'list it: coppice trash list',
        });
      }
      return { activity: brancher.bringBack(record, actor) };
    },
    emptyTrash: async (project, actor) => {
      projectNamed(store, project);
      const activity = parts.activities.start({ kind: 'trash', project, environment: undefined, actor, cause: 'the trash is emptied' });
      try {
        const count = await keeper.empty(store.trash.list({ project }));
        activity.say(`deleted for good: ${count}`);
        activity.finish('succeeded');
      } catch (error) {
        activity.finish('failed', error);
        throw error;
      }
      return { activity: activity.id };
    },
    collectGarbage: async ({ dryRun }) => await parts.garbage.collect({ dryRun }),
  };
}

/** Also of an environment that is gone, by the name it had. */
function idOf({ ports }: CommandParts, project: string, name: string): EnvironmentId {
  const gone = ports.store.backups.list({ project }).find(({ environmentName }) => environmentName === name);
  const there = ports.store.environments.findByName(project, name);
  return there?.id ?? gone?.environment ?? environmentNamed(ports.store, project, name).id;
}

async function backupView({ ports }: CommandParts, { id, environmentName, createdAt, reason, bytes }: BackupRecord): Promise<BackupView> {
  return { id, environment: environmentName, createdAt, reason, bytes: bytes ?? (await counted(() => ports.volumes.snapshotUsage(id))) };
}

async function trashView({ ports }: CommandParts, record: TrashRecord): Promise<TrashView> {
  const { id, environmentName, node, deletedAt, purgeAt, snapshot, environment } = record;
  const bytes =
    record.bytes ?? (await counted(() => (snapshot ? ports.volumes.snapshotUsage(snapshot) : ports.volumes.usage(environment))));
  return { id, environment: environmentName, node: node ?? null, deletedAt, purgedAt: purgeAt, bytes };
}

/** Null where it goes while it is counted. */
async function counted(count: () => Promise<number>): Promise<number | null> {
  try {
    return await count();
  } catch (error) {
    if (error instanceof CoppiceError) return null;
    throw error;
  }
}

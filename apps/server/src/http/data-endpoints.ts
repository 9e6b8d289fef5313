import { type Endpoint, environmentParam, flagField, list, projectParam, textField } from './endpoint.ts';
import type { Parameter } from './parameter.ts';

/** An environment or branch by name; environments of branches with long names have shorter ones. */
const branchName = { type: 'string', minLength: 1, maxLength: 250 };
const restoreBody = { type: 'object', properties: { to: branchName }, additionalProperties: false };
const syncBody = { type: 'object', properties: { force: { type: 'boolean' } }, additionalProperties: false };
const branchBody = {
  type: 'object',
  required: ['name'],
  properties: { name: branchName, from: branchName, at: { type: 'string', minLength: 1, maxLength: 64 } },
  additionalProperties: false,
};
const garbageBody = { type: 'object', properties: { dryRun: { type: 'boolean' } }, additionalProperties: false };
const backupId: Parameter = { kind: 'id', prefix: 'b', means: 'the backup' };
const trashId: Parameter = { kind: 'id', prefix: 't', means: 'what lies in the trash' };

/** Operations on the data of environments: backups, copies, trash and garbage. */
export const dataEndpoints: readonly Endpoint[] = [
  {
    method: 'POST',
    path: '/projects/:project/environments/:environment/backups',
    summary: 'Keep the whole environment as it is now; answers when it is kept',
    status: 201,
    handle: (call) => call.control.createBackup(projectParam(call), environmentParam(call), call.actor),
  },
  {
    method: 'GET',
    path: '/projects/:project/environments/:environment/backups',
    summary: 'The backups of an environment, newest first',
    handle: async (call) => list(await call.control.listBackups(projectParam(call), environmentParam(call))),
  },
  {
    method: 'GET',
    path: '/projects/:project/environments/:environment/volumes',
    summary: 'What each volume of an environment holds, in bytes; looks at every file',
    handle: async (call) => list(await call.control.listVolumes(projectParam(call), environmentParam(call))),
  },
  {
    method: 'GET',
    path: '/projects/:project/backups',
    summary: 'The backups of a project, newest first; of environments that are gone too',
    handle: async (call) => list(await call.control.listBackups(projectParam(call), undefined)),
  },
  {
    method: 'POST',
    path: '/projects/:project/backups/:id/restore',
    summary: 'Bring the data of a backup back; what is there is backed up first; with to: into that environment',
    params: { id: backupId },
    body: restoreBody,
    status: 202,
    handle: (call) => {
      const options = { to: textField(call.body, 'to'), actor: call.actor };
      return call.control.restoreBackup(projectParam(call), call.params['id'] ?? '', options);
    },
  },
  {
    method: 'POST',
    path: '/projects/:project/environments/:environment/sync',
    summary: 'Take the data of the parent again; with force: also where changes of its own are replaced',
    body: syncBody,
    status: 202,
    handle: (call) =>
      call.control.sync(projectParam(call), environmentParam(call), { actor: call.actor, force: flagField(call.body, 'force') }),
  },
  {
    method: 'POST',
    path: '/projects/:project/environments',
    summary: 'Create a branch and its environment from another; with at: as it was at that deployment',
    body: branchBody,
    status: 202,
    handle: (call) => {
      const [name, from, at] = [textField(call.body, 'name'), textField(call.body, 'from'), textField(call.body, 'at')];
      return call.control.branch(projectParam(call), { name, from, at, actor: call.actor });
    },
  },
  {
    method: 'GET',
    path: '/projects/:project/trash',
    summary: 'What was deleted and can come back, newest first',
    handle: async (call) => list(await call.control.listTrash(projectParam(call))),
  },
  {
    method: 'POST',
    path: '/projects/:project/trash/:id/restore',
    summary: 'Bring back what was deleted',
    params: { id: trashId },
    status: 202,
    handle: (call) => call.control.restoreTrash(projectParam(call), call.params['id'] ?? '', call.actor),
  },
  {
    method: 'DELETE',
    path: '/projects/:project/trash',
    summary: 'Delete all in the trash for good',
    status: 202,
    handle: (call) => call.control.emptyTrash(projectParam(call), call.actor),
  },
  {
    method: 'POST',
    path: '/gc',
    summary: 'Delete what nothing needs any more, and say why each thing stays or goes; with dryRun: only say it',
    body: garbageBody,
    handle: async ({ control, body, actor }) => list(await control.collectGarbage({ dryRun: flagField(body, 'dryRun'), actor })),
  },
];

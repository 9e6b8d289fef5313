import type { ActivityView } from '@coppice/control';
import { type ActivityState, CoppiceError } from '@coppice/model';
import { dataEndpoints } from './data-endpoints.ts';
import { type Call, type Endpoint, environmentParam, flagField, list, projectParam, textField } from './endpoint.ts';
import type { Parameter } from './parameter.ts';
import { lastEventId, numbered, type StreamedEvent, sendEvents, sendLines } from './stream.ts';

const states: readonly ActivityState[] = ['running', 'succeeded', 'failed', 'cancelled'];
const compared: Parameter = { kind: 'text', required: true, means: 'deployment, revision or environment' };
const nameBody = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string', maxLength: 64 } },
  additionalProperties: false,
};
const redeployBody = { type: 'object', properties: { refresh: { type: 'boolean' } }, additionalProperties: false };
const revertBody = {
  type: 'object',
  required: ['deployment'],
  properties: { deployment: { type: 'string', maxLength: 64 }, withData: { type: 'boolean' } },
  additionalProperties: false,
};

const projects: readonly Endpoint[] = [
  { method: 'GET', path: '/projects', summary: 'All projects', handle: ({ control }) => list(control.listProjects()) },
  {
    method: 'POST',
    path: '/projects',
    summary: 'Create a project',
    body: nameBody,
    status: 201,
    handle: ({ control, body }) => control.createProject(textField(body, 'name')),
  },
  {
    method: 'DELETE',
    path: '/projects/:project',
    summary: 'Delete a project with its environments and data',
    status: 204,
    handle: (call) => call.control.deleteProject(projectParam(call), call.actor),
  },
];

const environments: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/projects/:project/environments',
    summary: 'The environments of a project, oldest first',
    handle: async (call) => list(await call.control.listEnvironments(projectParam(call))),
  },
  {
    method: 'GET',
    path: '/projects/:project/environments/:environment',
    summary: 'One environment with its nodes and instances; `-` is the default one',
    handle: (call) => call.control.showEnvironment(projectParam(call), environmentParam(call)),
  },
  {
    method: 'DELETE',
    path: '/projects/:project/environments/:environment',
    summary: 'Delete an environment and its branch; its data goes to the trash',
    status: 202,
    handle: (call) => call.control.deleteEnvironment(projectParam(call), environmentParam(call), call.actor),
  },
  {
    method: 'POST',
    path: '/projects/:project/environments/:environment/redeploy',
    summary: 'Deploy the tip again; with refresh: resolved and built anew',
    body: redeployBody,
    status: 202,
    handle: (call) =>
      call.control.redeploy(projectParam(call), environmentParam(call), { actor: call.actor, refresh: flagField(call.body, 'refresh') }),
  },
  {
    method: 'POST',
    path: '/projects/:project/environments/:environment/suspend',
    summary: 'Stop all that runs and keep the data; the next request wakes it',
    status: 202,
    handle: (call) => call.control.suspend(projectParam(call), environmentParam(call), call.actor),
  },
  {
    method: 'POST',
    path: '/projects/:project/environments/:environment/resume',
    summary: 'Wake an environment that sleeps',
    status: 202,
    handle: (call) => call.control.resume(projectParam(call), environmentParam(call), call.actor),
  },
  {
    method: 'POST',
    path: '/projects/:project/environments/:environment/revert',
    summary: 'A commit on the tip with the tree of an earlier deployment, deployed like a push; withData: with the data it last served',
    body: revertBody,
    status: 202,
    handle: (call) => {
      const options = { actor: call.actor, environment: environmentParam(call), withData: flagField(call.body, 'withData') };
      return call.control.revert(projectParam(call), textField(call.body, 'deployment'), options);
    },
  },
  {
    method: 'GET',
    path: '/projects/:project/environments/:environment/plan',
    summary: 'What deploying a revision would change, and why',
    query: { revision: { kind: 'text', means: 'commit, branch or tag known to the server; the tip where missing' } },
    handle: (call) =>
      call.control.plan(projectParam(call), { environment: environmentParam(call), revision: call.query['revision'] ?? '' }),
  },
  {
    method: 'GET',
    path: '/projects/:project/environments/:environment/release',
    summary: 'Every node pinned',
    query: { revision: { kind: 'text', means: 'commit, branch or tag known to the server; what is live where missing' } },
    handle: (call) =>
      call.control.showRelease(projectParam(call), { environment: environmentParam(call), revision: call.query['revision'] ?? '' }),
  },
  {
    method: 'GET',
    path: '/projects/:project/environments/:environment/explain/:about/:node',
    summary: 'What entered a node’s build key, or why it was last replaced',
    params: { about: { kind: 'choice', values: ['build', 'restart'], means: 'which of the two' } },
    handle: (call) => {
      const about = call.params['about'] === 'build' ? 'build' : 'restart';
      return call.control.explain(projectParam(call), { environment: environmentParam(call), about, node: call.params['node'] ?? '' });
    },
  },
  {
    method: 'GET',
    path: '/projects/:project/environments/:environment/logs',
    summary: 'Output of the instances as newline-delimited JSON',
    query: {
      node: { kind: 'text', means: 'only this one' },
      follow: { kind: 'flag', means: 'until the client leaves' },
      since: { kind: 'time', means: 'only what is newer' },
      tail: { kind: 'count', least: 0, most: 1_000_000, means: 'only the last so many lines of each instance' },
    },
    handle: async (call) => {
      const { node, follow, since, tail } = call.query;
      const request = { environment: environmentParam(call), node: node ?? '', follow: follow === 'true', since, signal: call.signal };
      await sendLines(
        call.reply,
        call.control.logs(projectParam(call), { ...request, tail: tail === undefined ? undefined : Number(tail) }),
      );
    },
  },
];

const history: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/projects/:project/deployments',
    summary: 'Deployments, newest first',
    query: { environment: { kind: 'text', means: 'only of this one' } },
    handle: (call) => list(call.control.listDeployments(projectParam(call), call.query['environment'])),
  },
  {
    method: 'GET',
    path: '/projects/:project/diff',
    summary: 'The difference between two deployments, revisions or environments',
    query: { from: compared, to: compared },
    handle: (call) => call.control.diff(projectParam(call), call.query['from'] ?? '', call.query['to'] ?? ''),
  },
];

const activities: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/activities',
    summary: 'What happens and happened, newest first',
    query: {
      project: { kind: 'text', means: 'only of this one' },
      environment: { kind: 'text', means: 'only of this one of the project' },
      state: { kind: 'choice', values: states, means: 'only these' },
      limit: { kind: 'count', least: 1, most: 1000, means: 'at most so many; 100 where missing' },
      before: { kind: 'count', least: 1, most: 999_999_999_999_999, means: 'only what is older: the `next` of the page before' },
    },
    handle: ({ control, query }) => {
      if (query['environment'] !== undefined && query['project'] === undefined)
        throw new CoppiceError('invalid-request', 'environment needs project beside it');
      const limit = query['limit'] === undefined ? 100 : Number(query['limit']);
      const before = query['before'] === undefined ? {} : { before: Number(query['before']) };
      const about = { ...named(query, 'project'), ...named(query, 'environment'), ...state(query['state']) };
      const { items, next } = control.listActivities({ ...about, ...before, limit });
      return { items, next: next === null ? null : String(next) };
    },
  },
  {
    method: 'GET',
    path: '/activities/:id',
    summary: 'One activity',
    handle: ({ control, params }) => control.showActivity(params['id'] ?? ''),
  },
  {
    method: 'GET',
    path: '/activities/:id/log',
    summary: 'Its log as server-sent events',
    query: { follow: { kind: 'flag', means: 'until it ends' } },
    handle: async ({ control, params, query, request, reply, signal }) => {
      control.showActivity(params['id'] ?? '');
      const values = control.activityLog(params['id'] ?? '', { follow: query['follow'] === 'true', signal });
      await sendEvents(reply, { name: 'line', events: numbered(values, lastEventId(request.headers['last-event-id']) ?? 0) });
    },
  },
  {
    method: 'POST',
    path: '/activities/:id/cancel',
    summary: 'Stop a build or deployment; the old release stays',
    status: 204,
    handle: ({ control, params, actor }) => control.cancelActivity(params['id'] ?? '', actor),
  },
  {
    method: 'GET',
    path: '/events',
    summary: 'Activities as they start, change and end, as server-sent events; with Last-Event-ID first what changed since',
    handle: async ({ control, request, reply, signal }) => {
      const changes = control.events({ after: lastEventId(request.headers['last-event-id']), signal });
      await sendEvents(reply, { name: 'activity', events: byRevision(changes) });
    },
  },
  {
    method: 'GET',
    path: '/doctor',
    summary: 'Whether the machine is healthy',
    handle: async ({ control }) => list(await control.doctor()),
  },
];

/** Every operation of the API. */
export const endpoints: readonly Endpoint[] = [...projects, ...environments, ...dataEndpoints, ...history, ...activities];

/** Numbered across connections, so that a client can go on where it was. */
async function* byRevision(activities: AsyncIterable<ActivityView>): AsyncIterable<StreamedEvent> {
  for await (const activity of activities) yield { id: activity.revision, value: activity };
}

function named<Name extends string>(query: Call['query'], name: Name): { readonly [Key in Name]?: string } {
  const value = query[name];
  return (value === undefined ? {} : { [name]: value }) as { readonly [Key in Name]?: string };
}

function state(text: string | undefined): { readonly state?: ActivityState } {
  const known = states.find((name) => name === text);
  return known === undefined ? {} : { state: known };
}

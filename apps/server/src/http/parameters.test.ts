import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControlPlane, LogRequest } from '@coppice/control';
import { noted, openTestApi, problemIn } from './api-fixture.ts';

const environment = '/v1/projects/shop/environments/main';

test('a value that cannot be is refused, with what is allowed', async (t) => {
  const { ask } = openTestApi(t);
  const refused: Readonly<Record<string, string>> = {
    '/v1/activities?state=done': 'state is running, succeeded, failed or cancelled, not "done"',
    '/v1/activities?limit=many': 'limit is a whole number from 1 to 1000, not "many"',
    '/v1/activities?limit=0': 'limit is a whole number from 1 to 1000, not "0"',
    '/v1/activities?limit=-1': 'limit is a whole number from 1 to 1000, not "-1"',
    '/v1/activities?limit=1.5': 'limit is a whole number from 1 to 1000, not "1.5"',
    '/v1/activities?limit=1001': 'limit is a whole number from 1 to 1000, not "1001"',
    '/v1/activities?limit=': 'limit is a whole number from 1 to 1000, not ""',
    '/v1/activities?before=x': 'before is a whole number from 1 to 999999999999999, not "x"',
    '/v1/activities?limit=1&limit=2': 'limit is given more than once',
    '/v1/activities?environment=main': 'environment needs project beside it',
    '/v1/activities/a_1/log?follow=yes': 'follow is true or false, not "yes"',
    [`${environment}/explain/why/web`]: 'about is build or restart, not "why"',
    [`${environment}/logs?tail=all`]: 'tail is a whole number from 0 to 1000000, not "all"',
    [`${environment}/logs?tail=-5`]: 'tail is a whole number from 0 to 1000000, not "-5"',
    [`${environment}/logs?follow=1`]: 'follow is true or false, not "1"',
    [`${environment}/logs?since=yesterday`]: 'since is a time such as 2026-03-01T12:00:00Z, not "yesterday"',
    [`${environment}/logs?since=2026-13-01T12:00:00Z`]: 'since is a time such as 2026-03-01T12:00:00Z, not "2026-13-01T12:00:00Z"',
    '/v1/projects/shop/diff?from=main': 'to is missing: deployment, revision or environment',
  };
  const answers: Record<string, unknown> = {};
  for (const url of Object.keys(refused)) answers[url] = problemIn(await ask({ url }));
  assert.deepEqual(answers, Object.fromEntries(Object.entries(refused).map(([url, detail]) => [url, [400, 'invalid-request', detail]])));
});

test('values that can be reach the control plane as what they mean', async (t) => {
  const calls: unknown[] = [];
  const control: Partial<ControlPlane> = {
    listActivities: (filter) => noted(calls, filter, { items: [], next: null }),
    explain: async (_project, request) => noted(calls, request, { node: 'web', key: 'k', inputs: [] }),
    logs: (_project, { signal: _signal, ...request }: LogRequest) => noted(calls, request, nothing()),
    diff: async (...given) => noted(calls, given, { equal: true, changes: [] }),
  };
  const { ask } = openTestApi(t, control);
  const urls = [
    '/v1/activities',
    '/v1/activities?project=shop&environment=main&state=failed&limit=5',
    '/v1/activities?before=41&limit=1000',
    '/v1/projects/shop/environments/-/explain/build/web',
    `${environment}/logs`,
    `${environment}/logs?node=web&follow=true&tail=0&since=2026-03-01T12:00:00.5%2B01:00`,
    '/v1/projects/shop/diff?from=main&to=d_1',
  ];
  const statuses: number[] = [];
  for (const url of urls) statuses.push((await ask({ url })).statusCode);
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200, 200]);
  assert.deepEqual(calls, [
    { limit: 100 },
    { project: 'shop', environment: 'main', state: 'failed', limit: 5 },
    { before: 41, limit: 1000 },
    { environment: '', about: 'build', node: 'web' },
    { environment: 'main', node: '', follow: false, since: undefined, tail: undefined },
    { environment: 'main', node: 'web', follow: true, since: '2026-03-01T12:00:00.5+01:00', tail: 0 },
    ['shop', 'main', 'd_1'],
  ]);
});

async function* nothing(): AsyncIterable<never> {}

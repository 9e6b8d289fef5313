import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { processUser } from './haproxy-process.ts';
import { createHaproxyRouter } from './haproxy-router.ts';
import type { Router } from './router.ts';
import {
  ask,
  environmentId,
  eventually,
  eventuallyHeld,
  holdRoute,
  killRouter,
  startInstance,
  startRouter,
  tableOf,
  upstreamRoute,
} from './router-fixture.ts';

const one = environmentId('one');
const suspended = tableOf(holdRoute('a.localhost', 'suspended'));

/** The first wake that is told. */
async function nextWake(router: Router): Promise<string | undefined> {
  for await (const environment of router.wakes(new AbortController().signal)) return environment;
  return undefined;
}

test('however many wait, a wake is told once a second', async (context) => {
  const under = await startRouter(context);
  const told: number[] = [];
  const end = new AbortController();
  const listening = (async () => {
    for await (const environment of under.router.wakes(end.signal)) if (told.push(performance.now()) > 0) assert.equal(environment, one);
  })();
  await under.router.apply(one, suspended);
  const answers = Array.from({ length: 50 }, () => ask(under.port, 'a.localhost'));
  await eventually('three wakes', () => told.length >= 3);
  const [first = 0, , third = 0] = told;
  assert.ok(third - first > 1_900, `${third - first} ms between three wakes`);
  await under.router.apply(one, tableOf(upstreamRoute('a.localhost', [await startInstance(context, 'a')])));
  assert.deepEqual(new Set((await Promise.all(answers)).map(({ body }) => body)), new Set(['a']));
  end.abort();
  await listening;
});

test('while nobody listens requests wait, also at a socket that somebody left; whoever listens next is told', async (context) => {
  const under = await startRouter(context);
  const path = `${under.options.directory}/run/wake.sock`;
  await under.router.apply(one, suspended);
  const answer = ask(under.port, 'a.localhost');
  await eventuallyHeld(under.router, one, 1);
  const left = createServer().listen(path);
  context.after(() => left.close());
  assert.equal(await nextWake(under.router), one);
  const user = processUser(undefined);
  const { mode, uid } = statSync(path);
  assert.deepEqual([mode & 0o777, uid], [0o600, user?.uid ?? process.getuid?.()]);
  await under.router.apply(one, tableOf(upstreamRoute('a.localhost', [await startInstance(context, 'a')])));
  assert.equal((await answer).body, 'a');
});

test('a reload hands held requests to the new worker, which holds them further', async (context) => {
  const under = await startRouter(context);
  const server = await startInstance(context, 'a');
  await under.router.apply(one, suspended);
  const answers = [ask(under.port, 'a.localhost'), ask(under.port, 'a.localhost', { method: 'POST' })];
  await eventuallyHeld(under.router, one, 2);
  const rules = { headers: { 'X-Mine': 'yes' } };
  await under.router.apply(environmentId('two'), tableOf(upstreamRoute('b.localhost', [server], rules)));
  assert.equal(under.lines.filter((line) => line.includes('reloaded')).length, 1);
  await eventuallyHeld(under.router, one, 2);
  assert.equal(await nextWake(under.router), one);
  await under.router.apply(one, tableOf(upstreamRoute('a.localhost', [server])));
  assert.deepEqual(
    (await Promise.all(answers)).map(({ body }) => body),
    ['a', 'a'],
  );
});

test('other limits, as another version of the script, are loaded by a reload, and nobody who waits is lost', async (context) => {
  const under = await startRouter(context);
  await under.router.apply(one, suspended);
  const answer = ask(under.port, 'a.localhost');
  await eventuallyHeld(under.router, one, 1);
  const next = createHaproxyRouter({ ...under.options, holdLimits: { perEnvironment: 1 } });
  await next.ensureRunning();
  assert.equal(under.lines.filter((line) => line.includes('reloaded for another configuration')).length, 1);
  await eventuallyHeld(next, one, 1);
  assert.equal((await ask(under.port, 'a.localhost')).status, 503);
  await next.apply(one, tableOf(upstreamRoute('a.localhost', [await startInstance(context, 'a')])));
  assert.equal((await answer).body, 'a');
});

test('HAProxy killed ends the requests it held; started again it holds new ones and tells the same listener', async (context) => {
  const under = await startRouter(context);
  const told: string[] = [];
  const end = new AbortController();
  const listening = (async () => {
    for await (const environment of under.router.wakes(end.signal)) told.push(environment);
  })();
  await under.router.apply(one, suspended);
  const lost = assert.rejects(ask(under.port, 'a.localhost'), { code: 'ECONNRESET' });
  await eventuallyHeld(under.router, one, 1);
  await killRouter(under.options.directory);
  await lost;
  await under.router.ensureRunning();
  told.length = 0;
  const answer = ask(under.port, 'a.localhost');
  await eventually('a wake', () => told.length > 0);
  await under.router.apply(one, tableOf(upstreamRoute('a.localhost', [await startInstance(context, 'a')])));
  assert.equal((await answer).body, 'a');
  end.abort();
  await listening;
});

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { routeTableDigest, type UpstreamServer } from '@coppice/model';
import type { Router } from './router.ts';
import { environmentId, eventually, eventuallyHeld, holdRoute, redirectRoute, tableOf, upstreamRoute } from './router-fixture.ts';

/** How the suite sees a router: what a request for host and path reaches. */
export interface RouterUnderTest {
  readonly router: Router;
  /** Ends its process as SIGKILL would. */
  kill(): Promise<void>;
  /** Text of the instance that answered, `redirect` and `notice`, or `unknown`; `unavailable` for a route without servers. Waits at holds for path `/`. */
  reach(host: string, path: string): Promise<string>;
}

/** An instance whose answer is its id. */
export type MakeInstance = (context: TestContext, id: string) => Promise<UpstreamServer>;

const one = environmentId('one');
const two = environmentId('two');

/** What every implementation of the Router port must do. */
export function routerContract(name: string, make: (context: TestContext) => Promise<RouterUnderTest>, instance: MakeInstance): void {
  test(`${name}: a table is served as soon as apply resolves, and its digest is told`, async (context) => {
    const { router, reach } = await make(context);
    const table = tableOf(upstreamRoute('a.localhost', [await instance(context, 'a1')]));
    assert.equal(await reach('a.localhost', '/'), 'unknown');
    await router.apply(one, table);
    assert.equal(await reach('a.localhost', '/x'), 'a1');
    assert.deepEqual(await router.current(), new Map([[one, routeTableDigest(table)]]));
  });

  test(`${name}: the longest path wins, on whole segments, and hosts match exactly in any case`, async (context) => {
    const { router, reach } = await make(context);
    const [root, api, deep] = await Promise.all(['root', 'api', 'deep'].map((id) => instance(context, id)));
    const route = (path: string, server: UpstreamServer | undefined) =>
      upstreamRoute('a.localhost', [], {
        path,
        target: { kind: 'upstream', node: path, servers: server ? [server] : [], redirects: [] },
      });
    await router.apply(one, tableOf(route('/', root), route('/api/', api), route('/api/v2/', deep)));
    const paths = ['/', '/api', '/api/', '/api/x', '/apix', '/api/v2', '/api/v2/x', '/api/v22'];
    assert.deepEqual(await Promise.all(paths.map((path) => reach('a.localhost', path))), [
      ...['root', 'api', 'api', 'api', 'root', 'deep', 'deep', 'api'],
    ]);
    assert.equal(await reach('A.LocalHost:8080', '/api'), 'api');
    assert.equal(await reach('xa.localhost', '/'), 'unknown');
    assert.equal(await reach('a.localhost.evil', '/'), 'unknown');
  });

  test(`${name}: a new table replaces the whole old one`, async (context) => {
    const { router, reach } = await make(context);
    const [first, second] = await Promise.all(['first', 'second'].map((id) => instance(context, id)));
    await router.apply(
      one,
      tableOf(upstreamRoute('a.localhost', first ? [first] : []), upstreamRoute('b.localhost', first ? [first] : [])),
    );
    await router.apply(one, tableOf(upstreamRoute('b.localhost', second ? [second] : []), upstreamRoute('c.localhost', [])));
    assert.deepEqual(await Promise.all(['a.localhost', 'b.localhost', 'c.localhost'].map((host) => reach(host, '/'))), [
      'unknown',
      'second',
      'unavailable',
    ]);
  });

  test(`${name}: redirects and notices answer without a server`, async (context) => {
    const { router, reach } = await make(context);
    const notice = upstreamRoute('n.localhost', [], { target: { kind: 'notice', notice: 'creating', text: 'soon' } });
    await router.apply(one, tableOf(notice, redirectRoute('r.localhost', 'https://a.localhost/')));
    assert.deepEqual([await reach('n.localhost', '/'), await reach('r.localhost', '/x')], ['notice', 'redirect']);
  });

  test(`${name}: a host that another environment holds is a conflict and changes nothing`, async (context) => {
    const { router, reach } = await make(context);
    const [mine, theirs] = await Promise.all(['mine', 'theirs'].map((id) => instance(context, id)));
    const table = tableOf(upstreamRoute('a.localhost', mine ? [mine] : []));
    await router.apply(one, table);
    const clash = tableOf(upstreamRoute('a.localhost', theirs ? [theirs] : []), upstreamRoute('b.localhost', theirs ? [theirs] : []));
    await assert.rejects(router.apply(two, clash), { code: 'conflict' });
    assert.deepEqual([await reach('a.localhost', '/'), await reach('b.localhost', '/')], ['mine', 'unknown']);
    assert.deepEqual(await router.current(), new Map([[one, routeTableDigest(table)]]));
    await router.remove(one);
    await router.apply(two, clash);
    assert.equal(await reach('a.localhost', '/'), 'theirs');
  });

  test(`${name}: remove takes all of an environment and only that, and may be repeated`, async (context) => {
    const { router, reach } = await make(context);
    const server = await instance(context, 'x');
    await router.apply(one, tableOf(upstreamRoute('a.localhost', [server])));
    await router.apply(two, tableOf(upstreamRoute('b.localhost', [server])));
    await router.remove(one);
    await router.remove(one);
    assert.deepEqual([await reach('a.localhost', '/'), await reach('b.localhost', '/')], ['unknown', 'x']);
    assert.deepEqual([...(await router.current()).keys()], [two]);
  });

  test(`${name}: killed it serves nothing and says so; ensureRunning brings back what it was told`, async (context) => {
    const { router, reach, kill } = await make(context);
    const table = tableOf(upstreamRoute('a.localhost', [await instance(context, 'a1')]));
    await router.apply(one, table);
    await kill();
    assert.deepEqual(await router.current(), new Map());
    await router.ensureRunning();
    await router.ensureRunning();
    assert.equal(await reach('a.localhost', '/'), 'a1');
    assert.deepEqual(await router.current(), new Map([[one, routeTableDigest(table)]]));
  });

  test(`${name}: a server without requests, known or not, has none open`, async (context) => {
    const { router } = await make(context);
    const server = await instance(context, 'a1');
    await router.apply(one, tableOf(upstreamRoute('a.localhost', [server])));
    assert.deepEqual([await router.openRequests('a1'), await router.openRequests('nobody')], [0, 0]);
  });

  test(`${name}: a table that is not clean is refused and nothing changes`, async (context) => {
    const { router, reach } = await make(context);
    await router.apply(one, tableOf(upstreamRoute('a.localhost', [await instance(context, 'a1')])));
    const bad = tableOf(upstreamRoute('a.localhost\nbackend x', []));
    await assert.rejects(router.apply(one, bad), { code: 'invalid-request' });
    assert.equal(await reach('a.localhost', '/'), 'a1');
  });

  test(`${name}: a request at a hold waits, counts as held, and goes where the table leads then`, async (context) => {
    const { router, reach } = await make(context);
    const server = await instance(context, 'a1');
    await router.apply(one, tableOf(upstreamRoute('a.localhost', [server])));
    const hold = tableOf(holdRoute('a.localhost', 'switching'));
    await router.apply(one, hold);
    assert.deepEqual(await router.current(), new Map([[one, routeTableDigest(hold)]]));
    const answers = [reach('a.localhost', '/'), reach('a.localhost', '/')];
    await eventuallyHeld(router, one, 2);
    await router.apply(one, tableOf(holdRoute('a.localhost', 'suspended')));
    await eventuallyHeld(router, one, 2);
    await router.apply(one, tableOf(upstreamRoute('a.localhost', [server])));
    assert.deepEqual(await Promise.all(answers), ['a1', 'a1']);
    await eventuallyHeld(router, one, 0);
  });

  test(`${name}: a request at a hold of an environment that is removed finds nothing`, async (context) => {
    const { router, reach } = await make(context);
    await router.apply(one, tableOf(holdRoute('a.localhost', 'switching')));
    const answer = reach('a.localhost', '/');
    await eventuallyHeld(router, one, 1);
    await router.remove(one);
    assert.equal(await answer, 'unknown');
    assert.deepEqual(await router.usage(), new Map());
  });

  test(`${name}: who waits at a suspended hold is told to who listens, also to who comes later; at a switching one not`, async (context) => {
    const { router, reach } = await make(context);
    await router.apply(one, tableOf(holdRoute('a.localhost', 'suspended')));
    await router.apply(two, tableOf(holdRoute('b.localhost', 'switching')));
    const answers = [reach('b.localhost', '/'), reach('a.localhost', '/')];
    await eventually('both are held', async () => [...(await router.usage()).values()].every(({ held }) => held === 1));
    for (const _listener of ['first', 'second']) {
      const end = new AbortController();
      for await (const environment of router.wakes(end.signal)) {
        assert.equal(environment, one);
        end.abort();
      }
    }
    await router.remove(one);
    await router.remove(two);
    assert.deepEqual(await Promise.all(answers), ['unknown', 'unknown']);
  });

  test(`${name}: usage names the environments that have a table, and nobody where it does not run`, async (context) => {
    const { router, kill } = await make(context);
    await router.apply(one, tableOf(upstreamRoute('a.localhost', [])));
    await router.apply(two, tableOf(redirectRoute('r.localhost', 'https://a.localhost/')));
    await router.remove(one);
    const usage = [...(await router.usage())].map(([environment, { open, held }]) => ({ environment, open, held }));
    assert.deepEqual(usage, [{ environment: two, open: 0, held: 0 }]);
    await kill();
    assert.deepEqual(await router.usage(), new Map());
  });
}

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CoppiceError, type GitId } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { RunningControlPlane } from '../create-control-plane.ts';
import { noCommit, SimulatedServer } from './simulated-server.ts';

interface Served {
  readonly server: SimulatedServer;
  readonly plane: RunningControlPlane;
  readonly main: EnvironmentRecord;
  readonly first: GitId;
}

const keeper =
  'applications:\n  web:\n    type: nodejs:24\n    start: node server.js\n    healthcheck: { command: ./check }\n    mounts: { data: storage }\n';

/** A control plane whose loop does not run, with one environment that serves and holds data. */
async function served(t: TestContext): Promise<Served> {
  const server = new SimulatedServer(t);
  const plane = server.serve();
  const first = server.repository.commit(keeper);
  assert.equal((await server.push(plane, { previous: noCommit, next: first }))?.kind, 'ok', server.said.join('\n'));
  const [main] = server.ports.store.environments.list();
  assert.ok(main);
  return { server, plane, main, first };
}

const isConflict =
  (text: RegExp) =>
  (error: unknown): boolean =>
    error instanceof CoppiceError && error.code === 'conflict' && text.test(error.message);

test('a new branch of one that is being deleted is refused, and nothing of it is left', async (t) => {
  const { server, plane, main, first } = await served(t);
  server.ports.store.environments.setDesired(main.id, { ...main.desired, exists: false });
  const result = await server.push(plane, { previous: noCommit, next: first, ref: 'refs/heads/feature' });
  assert.equal(result?.kind, 'refused', server.said.join('\n'));
  assert.match(server.said.join('\n'), /main, whose data it is to get, is being deleted/);
  assert.deepEqual(
    server.ports.store.environments.list().map(({ name }) => name),
    ['main'],
  );
  assert.deepEqual(await server.volumes.snapshots(), []);
});

test('a branch of one whose last deployment failed begins with what serves there', async (t) => {
  const { server, plane, first } = await served(t);
  server.engine.behave('web', { exits: { exitCode: 3 } });
  const second = server.repository.commit(keeper.replace('server.js', 'other.js'), [first]);
  assert.equal((await server.push(plane, { previous: first, next: second }))?.kind, 'refused');
  server.engine.behave('web', {});
  const result = await server.push(plane, { previous: noCommit, next: first, ref: 'refs/heads/feature' });
  assert.equal(result?.kind, 'ok', server.said.join('\n'));
  assert.match(server.said.join('\n'), /feature begins with a copy of the data of main/);
});

test('one that never served cannot be branched by command', async (t) => {
  const { server, plane } = await served(t);
  server.ports.store.environments.create({ project: 'shop', name: 'unborn', branch: 'unborn', parent: undefined });
  const asked = plane.control.branch('shop', { name: 'feature', from: 'unborn', at: '', actor: 'ada' });
  await assert.rejects(asked, isConflict(/unborn has never served, so there is nothing to branch from/));
});

test('the data of another environment does not come with a revert', async (t) => {
  const { server, plane, main, first } = await served(t);
  const pushed = await server.push(plane, { previous: noCommit, next: first, ref: 'refs/heads/feature' });
  assert.equal(pushed?.kind, 'ok', server.said.join('\n'));
  const options = { actor: 'ada', environment: 'feature', withData: true };
  const asked = plane.control.revert('shop', server.ports.store.environments.get(main.id)?.live ?? '', options);
  await assert.rejects(asked, isConflict(/served the data of main, not of feature/));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiffView } from '../control-plane.ts';
import { noCommit, SimulatedServer, shopFile } from './simulated-server.ts';

const overlaid = `
environments:
  - match: fix
    instances: { web: 2 }
    variables: { env: { LEVEL: loud, TOKEN: very-secret } }
`;

const paths = (diff: DiffView): readonly string[] => diff.changes.map(({ path }) => path);

test('deployments, environments and revisions are compared with each other, and no value of a variable is told', async (t) => {
  const server = new SimulatedServer(t);
  const plane = server.serve();
  const commits = {
    first: server.repository.commit(`${shopFile('1')}    variables: { env: { LEVEL: quiet } }\n${overlaid}`),
    second: server.repository.commit(`${shopFile('2')}    variables: { env: { LEVEL: hushed } }\n${overlaid}`),
  };
  await server.push(plane, { previous: noCommit, next: commits.first });
  await server.push(plane, { previous: commits.first, next: commits.second });
  assert.deepEqual(await server.push(plane, { ref: 'refs/heads/fix', previous: noCommit, next: commits.second }), {
    kind: 'ok',
    ref: 'refs/heads/fix',
  });
  const [newest, oldest] = plane.control.listDeployments('shop', 'main').map(({ id }) => id);
  const diff = async (from = '', to = ''): Promise<DiffView> => await plane.control.diff('shop', from, to);

  const deployments = await diff(oldest, newest);
  assert.deepEqual(paths(deployments), ['nodes.web.argv[2]', 'nodes.web.variables.LEVEL']);
  assert.deepEqual(await diff(commits.first, 'main'), deployments);
  assert.deepEqual(await diff(newest, 'main'), { equal: true, changes: [] });

  const environments = await diff('main', 'fix');
  assert.deepEqual(paths(environments), ['nodes.web.instances', 'nodes.web.variables.LEVEL', 'nodes.web.variables.TOKEN']);
  assert.doesNotMatch(JSON.stringify([deployments, environments]), /quiet|hushed|loud|very-secret/);
  const [, level, token] = environments.changes;
  assert.match(`${level?.from} ${level?.to} ${token?.to}`, /^[0-9a-f]{12} [0-9a-f]{12} [0-9a-f]{12}$/);
  assert.equal(token?.from, null);
});

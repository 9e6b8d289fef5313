import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { mainRef, noCommit, SimulatedServer, shopFile } from './simulated-server.ts';

const hang = (): Promise<never> => new Promise(() => undefined);

/** Updates an environment while the engine never answers its n-th effect; answers whether there was one, after checking that nothing is stuck. */
async function hangsAt(t: TestContext, moment: number): Promise<boolean> {
  const server = new SimulatedServer(t);
  const stepLimits = { limitMs: () => 100, graceMs: 20 };
  const plane = server.serve({ ...server.ports, settings: { ...server.ports.settings, stepLimits } });
  const first = server.repository.commit(shopFile('1'));
  assert.equal((await server.push(plane, { previous: noCommit, next: first }))?.kind, 'ok');
  let seen = 0;
  server.engine.onEffect(async (_, when) => {
    if (when === 'before') seen += 1;
    if (seen === moment && when === 'before') await hang();
  });
  const second = server.repository.commit(shopFile('2'), [first]);
  const result = await server.push(plane, { previous: first, next: second });
  server.engine.onEffect(() => undefined);
  if (seen < moment) return false;
  if (result?.kind === 'refused') assert.match(result.why, /took longer than 0.1 s/, `effect ${moment}`);
  await plane.start();
  const previous = server.repository.refs.get(mainRef) ?? noCommit;
  const third = server.repository.commit(shopFile('3'), [previous]);
  assert.deepEqual(await server.push(plane, { previous, next: third }), { kind: 'ok', ref: mainRef }, `after effect ${moment} hung`);
  const running = server.ports.store.activities.list({ state: 'running' });
  assert.deepEqual([running, server.ports.store.intents.list()], [[], []]);
  return true;
}

test('whichever effect of a deployment hangs, the deployment ends, and the next one goes through', async (t) => {
  const alive = setInterval(() => undefined, 1_000);
  t.after(() => clearInterval(alive));
  let moment = 1;
  while (await hangsAt(t, moment)) moment += 1;
  assert.ok(moment > 5, `only ${moment} effects`);
  t.diagnostic(`${moment - 1} effects`);
});

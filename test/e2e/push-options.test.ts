import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ActivityView, DeploymentView, EnvironmentView } from '@coppice/control';
import { tinyApp, tinyYaml } from './harness/tiny-app.ts';
import { TestServer, until } from './harness.ts';

/** Something that takes its time until it serves. */
const slow = 'await new Promise((resolve) => setTimeout(resolve, 3000));';

let server: TestServer;
before(async () => {
  server = await TestServer.start();
});
after(async () => {
  await server.stop();
});

function lastRemoteLine(output: string): string {
  const lines = output.split('\n').filter((line) => line.startsWith('remote: ') && line.trim() !== 'remote:');
  return lines.at(-1)?.slice('remote: '.length).trim() ?? '';
}

test('-o plan shows what would change, is refused and changes nothing, on a branch that exists and on a new one', async () => {
  const clone = await server.project('planned');
  await clone.commit(tinyApp());
  const fresh = await clone.push('main', { options: ['plan'] });
  assert.equal(fresh.code, 1);
  assert.match(fresh.output, /create web/);
  assert.match(fresh.output, /to build sha256:[0-9a-f]{64}/);
  assert.equal(lastRemoteLine(fresh.output), 'plan only: nothing was changed');
  assert.deepEqual(await server.read('env', 'list', '--project', 'planned'), []);
  assert.equal(await clone.git('ls-remote', 'origin'), '');

  assert.equal((await clone.push('main')).code, 0);
  const before = { state: await server.dockerState(), images: await server.builtImages(), refs: await clone.git('ls-remote', 'origin') };
  await clone.commit(tinyApp({ answer: 'two' }));
  const changed = await clone.push('main', { options: ['plan'] });
  assert.equal(changed.code, 1);
  assert.match(changed.output, /replace web: image changed/);
  assert.equal(lastRemoteLine(changed.output), 'plan only: nothing was changed');
  const now = { state: await server.dockerState(), images: await server.builtImages(), refs: await clone.git('ls-remote', 'origin') };
  assert.deepEqual(now, before);
  assert.equal((await server.read<DeploymentView[]>('deployments', '--project', 'planned')).length, 1);
});

test('an unknown push option is refused with those that are there', async () => {
  const clone = await server.project('unknown');
  await clone.commit(tinyApp());
  for (const option of ['paln', 'plan=yes', 'parent=', '; rm -rf /']) {
    const push = await clone.push('main', { options: [option] });
    assert.equal(push.code, 1);
    assert.match(push.output, /push option .* is unknown/);
    assert.match(push.output, /there are: plan, no-wait/);
  }
  assert.equal(await clone.git('ls-remote', 'origin'), '');
});

test('parent= names the environment a branch stems from; one that is not there is refused', async () => {
  const clone = await server.project('parents');
  await clone.deploy(tinyApp());
  await clone.git('push', '--quiet', 'origin', 'HEAD:refs/heads/stage');
  const refused = await clone.push('HEAD:refs/heads/lost', { options: ['parent=nowhere'] });
  assert.equal(refused.code, 1);
  assert.match(refused.output, /parent=nowhere/);
  const push = await clone.push('HEAD:refs/heads/child', { options: ['parent=stage'] });
  assert.equal(push.code, 0, push.output);
  const environments = await server.read<EnvironmentView[]>('env', 'list', '--project', 'parents');
  assert.deepEqual(environments.map(({ name, parent }) => [name, parent]).sort(), [
    ['child', 'stage'],
    ['main', null],
    ['stage', 'main'],
  ]);
});

test('-o no-wait moves the ref after the build and deploys in the background', async () => {
  const clone = await server.project('later');
  await clone.deploy(tinyApp());
  const { commit, output } = await clone.deploy(tinyApp({ answer: 'two', before: slow }), { options: ['no-wait'] });
  assert.match(output, /follow it: coppice activity log (a_\w+) --follow/);
  assert.match(await clone.git('ls-remote', 'origin', 'refs/heads/main'), new RegExp(commit));
  assert.equal((await server.request('main.later.localhost')).body, 'one');
  const activity = /activity log (a_\w+)/.exec(output)?.[1] ?? '';
  const log = await server.cli('activity', 'log', activity, '--follow');
  assert.match(log.stdout, /replace web/);
  await until(async () => (await server.request('main.later.localhost')).body === 'two', { what: 'the new version serves' });
});

test('-o no-wait of a release that never serves is told in the activity, and the old one goes on', async () => {
  const clone = await server.project('later-bad');
  await clone.deploy(tinyApp());
  const { output } = await clone.deploy(tinyApp({ before: 'process.exit(7);' }), { options: ['no-wait'] });
  const activity = /activity log (a_\w+)/.exec(output)?.[1] ?? '';
  const log = await server.cli('activity', 'log', activity, '--follow');
  assert.match(log.stdout, /exit code 7/);
  const found = await server.read<ActivityView[]>('activity', 'list');
  assert.equal(found.find(({ id }) => id === activity)?.state, 'failed');
  assert.equal((await server.request('main.later-bad.localhost')).body, 'one');
});

test('of two pushes to one branch at once one wins and the other is told to fetch', async () => {
  const clone = await server.project('race');
  await clone.deploy(tinyApp());
  const other = await server.clone('race');
  const [mine, theirs] = [
    await clone.commit(tinyApp({ answer: 'mine', before: slow })),
    await other.commit(tinyApp({ answer: 'theirs', before: slow })),
  ];
  const pushes = await Promise.all([clone.push('main'), other.push('main')]);
  assert.deepEqual(pushes.map(({ code }) => code).sort(), [0, 1]);
  const won = pushes[0]?.code === 0;
  assert.match(pushes[won ? 1 : 0]?.output ?? '', /fetch/);
  assert.equal((await server.request('main.race.localhost')).body, won ? 'mine' : 'theirs');
  assert.match(await clone.git('ls-remote', 'origin', 'refs/heads/main'), new RegExp(won ? mine : theirs));
});

test('a wrong token is refused before anything is read, an unknown project is not found', async () => {
  const clone = await server.project('closed');
  await clone.commit(tinyApp());
  await clone.git('remote', 'set-url', 'origin', server.remote('closed').replace(server.token, 'wrong'));
  const push = await clone.push('main');
  assert.equal(push.code, 128);
  assert.match(push.output, /Authentication failed|could not read/);
  await clone.git('remote', 'set-url', 'origin', server.remote('nowhere'));
  const lost = await clone.push('main');
  assert.equal(lost.code, 128);
  assert.match(lost.output, /not found/);
});

test('two environments of one project deploy at once', async () => {
  const clone = await server.project('parallel', undefined);
  await clone.commit(tinyApp({ yaml: tinyYaml, before: slow }));
  const started = performance.now();
  const pushes = await Promise.all(['a', 'b', 'c'].map((name) => clone.push(`HEAD:refs/heads/${name}`)));
  assert.deepEqual(
    pushes.map(({ code }) => code),
    [0, 0, 0],
  );
  const took = performance.now() - started;
  const deployments = await server.read<DeploymentView[]>('deployments', '--project', 'parallel');
  const apply = deployments.reduce((sum, { durations }) => sum + durations.apply, 0);
  assert.ok(took < apply, `${Math.round(took)} ms for deployments of ${apply} ms`);
});

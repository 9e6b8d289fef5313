import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ActivityView, DeploymentView, DiffView, DoctorCheck, ExplainView, PlanView } from '@coppice/control';
import { shapeOf } from './harness/shape.ts';
import { tinyApp } from './harness/tiny-app.ts';
import { type CliResult, type Clone, TestServer } from './harness.ts';

const yaml = `applications:
  web:
    type: nodejs:24
    start: node server.mjs
    relationships: [cache]
services:
  cache: redis:7
`;

let server: TestServer;
let clone: Clone;
let first = '';
let second = '';
before(async () => {
  server = await TestServer.start();
  clone = await server.project('shop');
  first = (await clone.deploy(tinyApp({ yaml, before: "console.log('hello from the first');" }))).commit;
  second = (await clone.deploy(tinyApp({ answer: 'two', yaml, before: "console.log('hello from the second');" }))).commit;
});
after(async () => {
  await server.stop();
});

async function shop(...args: readonly string[]): Promise<CliResult> {
  return await server.cliWith({ variables: { COPPICE_PROJECT: 'shop' } }, ...args);
}

test('plan ends with 0 where nothing would change and with 10 where something would', async () => {
  const same = await shop('plan');
  assert.deepEqual([same.code, same.stdout, same.stderr], [0, 'nothing to change\n', '']);
  const older = await shop('plan', first, '--json');
  const plan = older.json<PlanView>();
  assert.equal(older.code, 10);
  assert.deepEqual(shapeOf(plan), {
    digest: 'string',
    changes: [{ node: 'string', action: 'string', strategy: 'string', reasons: shapeOf(plan.changes[0]?.reasons) }],
    steps: [{ id: 'string', kind: 'string', node: 'string', after: shapeOf(plan.steps[0]?.after) }],
    toBuild: [],
  });
  assert.deepEqual(plan.changes.map(({ node, action }) => [node, action]).sort(), [
    ['cache', 'keep'],
    ['web', 'replace'],
  ]);
  const ids = new Set(plan.steps.map(({ id }) => id));
  assert.equal(ids.size, plan.steps.length);
  assert.deepEqual(shapeOf(plan.changes.find(({ node }) => node === 'web')?.reasons), [
    { kind: 'string', what: 'string', from: 'string', to: 'string' },
  ]);
  for (const step of plan.steps) for (const id of step.after) assert.ok(ids.has(id), `${step.id} waits for ${id}`);
});

test('plan of a revision that was never built names the key to build, and builds nothing', async () => {
  await clone.commit(tinyApp({ answer: 'three', yaml }));
  await clone.git('tag', 'three');
  assert.equal((await clone.push('three')).code, 0);
  const images = await server.builtImages();
  const result = await shop('plan', 'three');
  assert.equal(result.code, 10);
  assert.match(result.stdout, /^to build sha256:[0-9a-f]{64}/m);
  assert.match(result.stdout, /replace web: image changed \(source tree [0-9a-f]{7} → [0-9a-f]{7}\)/);
  assert.deepEqual(await server.builtImages(), images);
});

test('diff compares deployments, revisions and environments, 0 for equal and 10 for different', async () => {
  const [newest, oldest] = (await shop('deployments', '--json')).json<DeploymentView[]>();
  const different = await shop('diff', oldest?.id ?? '', newest?.id ?? '', '--json');
  const view = different.json<DiffView>();
  assert.equal(different.code, 10);
  assert.equal(view.equal, false);
  assert.ok(view.changes.length > 0 && view.changes.every(({ path }) => /web/.test(path)), JSON.stringify(view));
  assert.deepEqual(Object.keys(view.changes[0] ?? {}), ['path', 'from', 'to']);
  const equal = await shop('diff', second, 'main', '--json');
  assert.deepEqual([equal.code, equal.json()], [0, { equal: true, changes: [] }]);
  assert.equal((await shop('diff', 'main', 'nowhere')).code, 3);
});

test('explain tells what entered the key of a build, and why a node was restarted', async () => {
  for (const about of ['build', 'restart']) {
    const result = await shop('explain', about, 'web', '--json');
    const view = result.json<ExplainView>();
    assert.equal(result.code, 0, result.stderr);
    assert.deepEqual(Object.keys(view).sort(), ['inputs', 'key', 'node']);
    assert.ok(
      view.inputs.some(({ name, changed }) => changed && /source|image/.test(name)),
      JSON.stringify(view.inputs),
    );
    for (const input of view.inputs) assert.deepEqual(Object.keys(input).sort(), ['changed', 'from', 'name', 'to']);
  }
  assert.equal((await shop('explain', 'build', 'nobody')).code, 3);
  assert.equal((await shop('explain', 'nonsense', 'web')).code, 2);
});

test('activities are listed, newest first, each with its log', async () => {
  const activities = (await shop('activity', 'list', '--json')).json<ActivityView[]>();
  const [newest] = activities;
  for (const key of ['id', 'kind', 'state', 'environment', 'actor', 'startedAt']) assert.ok(newest && key in newest, key);
  const times = activities.map(({ startedAt }) => startedAt);
  assert.deepEqual(times, [...times].sort().reverse());
  const push = activities.find(({ kind }) => kind === 'push');
  assert.deepEqual([push?.state, push?.environment], ['succeeded', 'main']);
  const log = await shop('activity', 'log', push?.id ?? '');
  assert.match(log.stdout, /replace web/);
  assert.equal((await shop('activity', 'log', 'a_nothing')).code, 3);
});

test('logs show what the instances wrote, of one node or of all', async () => {
  const web = await shop('logs', 'web');
  assert.match(web.stdout, /^web {2}hello from the second$/m);
  const all = await shop('logs', '--json');
  const nodes = new Set(all.json<{ readonly node: string }[]>().map(({ node }) => node));
  assert.deepEqual([...nodes].sort(), ['cache', 'web']);
  const lost = await shop('logs', 'nobody');
  assert.deepEqual([lost.code, lost.stdout], [3, '']);
  assert.match(lost.stderr, /there are: .*web/);
  assert.equal((await shop('logs', '--env', 'nowhere')).code, 3);
});

test('exec passes input and both outputs through, and ends with the exit code of the command', async () => {
  const script = 'cat; echo out; echo err >&2; exit 7';
  const run = await server.cliWith({ input: 'typed\n', variables: { COPPICE_PROJECT: 'shop' } }, 'exec', 'web', '--', 'sh', '-c', script);
  assert.deepEqual([run.code, run.stdout, run.stderr], [7, 'typed\nout\n', 'err\n']);
  const large = 'x'.repeat(1_000_000);
  const copied = await server.cliWith({ input: large, variables: { COPPICE_PROJECT: 'shop' } }, 'exec', 'web', '--', 'cat');
  assert.deepEqual([copied.code, copied.stdout.length], [0, large.length]);
  assert.equal((await shop('exec', 'nobody', '--', 'true')).code, 3);
});

test('doctor says of each part whether it works', async () => {
  const result = await shop('doctor', '--json');
  const checks = result.json<DoctorCheck[]>();
  assert.equal(result.code, 0, result.stdout);
  assert.deepEqual(shapeOf(checks), [{ check: 'string', ok: 'boolean', detail: 'string', fix: 'string' }]);
  for (const name of ['engine', 'router', 'volumes', 'state']) assert.ok(checks.find(({ check }) => check === name)?.ok, name);
});

test('exit codes say what went wrong: usage 2, not found 3, not allowed 4, nobody there 5', async () => {
  const codes = {
    unknownCommand: (await shop('nonsense')).code,
    unknownFlag: (await shop('env', 'list', '--nonsense')).code,
    missingProject: (await server.cli('env', 'list')).code,
    badName: (await shop('project', 'create', 'Not A Name')).code,
    noProject: (await shop('env', 'list', '--project', 'nowhere')).code,
    noEnvironment: (await shop('env', 'show', 'nowhere')).code,
    noRevision: (await shop('plan', 'nowhere')).code,
    noDeployment: (await shop('revert', 'd_nothing')).code,
    wrongToken: (await shop('env', 'list', '--token', 'wrong')).code,
    noServer: (await shop('env', 'list', '--url', 'http://127.0.0.1:1')).code,
    execNoServer: (await shop('exec', 'web', '--url', 'http://127.0.0.1:1', '--', 'true')).code,
    execWrongToken: (await shop('exec', 'web', '--token', 'wrong', '--', 'true')).code,
    twice: (await shop('project', 'create', 'shop')).code,
  };
  assert.deepEqual(codes, {
    unknownCommand: 2,
    unknownFlag: 2,
    missingProject: 2,
    badName: 2,
    noProject: 3,
    noEnvironment: 3,
    noRevision: 3,
    noDeployment: 3,
    wrongToken: 4,
    noServer: 5,
    execNoServer: 5,
    execWrongToken: 4,
    twice: 1,
  });
});

test('inside a clone project, token, server and environment come from its remote and HEAD', async () => {
  const variables = { COPPICE_URL: undefined, COPPICE_TOKEN: undefined };
  const inside = await server.cliWith({ cwd: clone.folder, variables }, 'env', 'show', '--json');
  assert.deepEqual([inside.code, inside.json<{ readonly name: string }>().name], [0, 'main'], inside.stderr);
  await clone.git('switch', '--quiet', '--create', 'nowhere');
  assert.equal((await server.cliWith({ cwd: clone.folder, variables }, 'env', 'show', '--json')).code, 3);
  await clone.git('switch', '--quiet', 'main');
});

test('config check and show work without a server, with positions and exit code 2 for an invalid file', async () => {
  const offline = { COPPICE_URL: 'http://127.0.0.1:1', COPPICE_TOKEN: undefined };
  const valid = await server.cliWith({ cwd: clone.folder, variables: offline }, 'config', 'check');
  assert.deepEqual([valid.code, valid.stdout], [0, 'coppice.yaml is valid\n']);
  const shown = await server.cliWith({ cwd: clone.folder, variables: offline }, 'config', 'show');
  assert.equal(shown.code, 0);
  assert.match(shown.stdout, /service: cache/);
  const folder = join(server.folder, 'invalid');
  mkdirSync(folder);
  writeFileSync(
    join(folder, 'coppice.yaml'),
    'applications:\n  web:\n    type: nodejs:24\n    start: node a.js\n    relationships: [databse]\nservices:\n  database: postgresql:15\n  cache: redsi:7\n',
  );
  const invalid = await server.cliWith({ cwd: folder, variables: offline }, 'config', 'check');
  assert.deepEqual([invalid.code, invalid.stdout], [2, '']);
  assert.match(invalid.stderr, /^coppice\.yaml:5:21 .*no service or application is named "databse".*did you mean "database"/m);
  assert.match(invalid.stderr, /^coppice\.yaml:8:\d+ .*redis/m);
  const empty = join(server.folder, 'empty');
  mkdirSync(empty);
  const missing = await server.cliWith({ cwd: empty, variables: offline }, 'config', 'check');
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /there is no coppice\.yaml[\s\S]*applications:/);
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { EngineSocket } from './harness/engine-socket.ts';
import { assertNothingHalfDone } from './harness/refused.ts';
import { standingOf } from './harness/standing.ts';
import { type Clone, TestServer, until } from './harness.ts';

const project = 'site';
const site = `applications:
  site:
    type: static:1
    web: { locations: { "/": { root: public, index: [index.html] } } }
`;

suite('an engine that does not run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-engine-'));
  const engine = new EngineSocket(join(folder, 'docker.sock'));
  let server: TestServer;
  let clone: Clone;
  before(async () => {
    server = await TestServer.start({ variables: { DOCKER_HOST: engine.host } });
  });
  after(async () => {
    await server.stop();
    await engine.close();
    rmSync(folder, { recursive: true });
  });

  /** What /readyz says of the parts that do not work. */
  const ready = async (): Promise<{ readonly status: number; readonly text: string }> => {
    const answer = await server.api('/readyz');
    return { status: answer.status, text: await answer.text() };
  };

  test('a server starts without it, says so, and its API is up', async () => {
    assert.match(server.log, /the container engine does not answer; going on without it until it does: .*docker\.sock/);
    assert.match(server.readyLine, /coppice is ready/);
    clone = await server.project(project);
    const { status, text } = await ready();
    assert.equal(status, 503, text);
    assert.match(text, /docker\.sock/);
  });

  test('a push is refused with the reason and what to do, and leaves nothing', async () => {
    await clone.commit({ 'coppice.yaml': site, 'public/index.html': 'before' });
    const push = await clone.push();
    assert.notEqual(push.code, 0);
    assert.match(push.output, /container engine.*docker\.sock/);
    assert.match(push.output, /\[remote rejected\]/);
    const { refs, containers } = await standingOf(server, project);
    assert.deepEqual({ refs, containers }, { refs: [], containers: [] });
  });

  test('once it is there, the same push is accepted', async () => {
    await engine.open();
    await until(async () => (await ready()).status === 200, { what: 'the server is ready' });
    await until(async () => (await standingOf(server, project)).environments.length === 0, { what: 'nothing is left of the refused push' });
    const { code, output } = await clone.push();
    assert.equal(code, 0, output);
    assert.equal((await server.request(`main.${project}.localhost`)).body, 'before');
  });

  test('while it is away, what runs is served, the API answers, and a push is refused with the reason', async () => {
    const good = await standingOf(server, project);
    await engine.close();
    assert.equal((await server.request(`main.${project}.localhost`)).body, 'before');
    assert.equal((await server.cli('project', 'list')).code, 0);
    assert.equal((await ready()).status, 503);
    const doctor = await server.cli('doctor');
    assert.match(`${doctor.stdout}${doctor.stderr}`, /docker\.sock/);
    await clone.commit({ 'public/index.html': 'after' });
    const push = await clone.push(['HEAD:refs/heads/main', 'HEAD:refs/heads/fresh']);
    assert.notEqual(push.code, 0, push.output);
    assert.match(push.output, /container engine.*docker\.sock/);
    assert.equal((await server.request(`main.${project}.localhost`)).body, 'before');

    await engine.open();
    await until(async () => JSON.stringify(await standingOf(server, project)) === JSON.stringify(good), { what: 'all is as before' });
    await assertNothingHalfDone(server);
  });

  test('when it is back, the same push is accepted without another word from anybody', async () => {
    const { code, output } = await clone.push();
    assert.equal(code, 0, output);
    assert.equal((await server.request(`main.${project}.localhost`)).body, 'after');
  });

  test('an engine that breaks in the middle of a deployment refuses it, and the release before serves on', async () => {
    const good = await standingOf(server, project);
    await clone.commit({ 'coppice.yaml': `${site}    hooks: { deploy: "echo under way; sleep 5" }\n`, 'public/index.html': 'broken off' });
    const pushing = clone.push();
    await until(async () => (await standingOf(server, project)).containers.length > good.containers.length, {
      what: 'the deployment began',
    });
    await engine.close();
    const push = await pushing;
    assert.notEqual(push.code, 0, push.output);
    assert.match(push.output, /container engine.*docker\.sock|docker\.sock.*container engine/);
    assert.equal((await server.request(`main.${project}.localhost`)).body, 'after');
    await engine.open();
    await until(async () => JSON.stringify(await standingOf(server, project)) === JSON.stringify(good), {
      what: 'all is as before',
      withinMs: 15_000,
    });
    assert.equal((await server.request(`main.${project}.localhost`)).body, 'after');
    await clone.deploy({ 'coppice.yaml': site, 'public/index.html': 'at last' });
    assert.equal((await server.request(`main.${project}.localhost`)).body, 'at last');
  });
});

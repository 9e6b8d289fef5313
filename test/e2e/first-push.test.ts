import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestServer } from './harness.ts';

let server: TestServer;
before(async () => {
  server = await TestServer.start();
});
after(async () => {
  await server.stop();
});

test('a first push goes live', async () => {
  const clone = await server.project('site', 'static-site');
  const { output } = await clone.deploy();
  assert.match(output, /live at/);
  const answer = await server.request('main.site.localhost');
  assert.equal(answer.status, 200);
});

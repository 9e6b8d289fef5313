import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import { engineSeesFolder } from './sees-folder.ts';

const dockerHost = process.env['DOCKER_HOST'];

test('the engine sees a folder that is there, and none that is not', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-seen-'));
  t.after(() => rmSync(folder, { recursive: true }));
  assert.equal(await engineSeesFolder({ dockerHost, folder }), true);
  assert.equal(await engineSeesFolder({ dockerHost, folder: join(folder, 'none') }), false);
});

test('an engine that does not answer says nothing of folders', async () => {
  await assert.rejects(engineSeesFolder({ dockerHost: 'unix:///run/coppice-no-engine.sock', folder: '/' }), (error) =>
    isCoppiceError(error, 'engine-unreachable'),
  );
});

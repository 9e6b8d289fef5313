import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import { extract } from 'tar-stream';
import { BaseCache } from './base-cache.ts';
import { defaultBaseDirectory } from './build-base.ts';
import { minimalRoot } from './minimal-root.ts';
import { packageLayer } from './package-layer.ts';

const minimal = await minimalRoot(new BaseCache(defaultBaseDirectory), 'bookworm', () => undefined, undefined);
const scratch = await mkdtemp(join(tmpdir(), 'coppice-build-base-'));
after(() => rm(scratch, { recursive: true, force: true }));
const recipe = { debian: 'bookworm', prepare: [], packages: [], setup: [] } as const;
const build = (setup: readonly string[], signal?: AbortSignal) =>
  packageLayer(new BaseCache(scratch), { ...recipe, setup }, minimal, () => undefined, signal);
const mounts = async () => (await readFile('/proc/self/mountinfo', 'utf8')).includes(scratch);

test('a layer holds what changed, and a whiteout for what was removed', async () => {
  const { layer } = await build([
    'echo new >/opt/new; chown 5:6 /opt/new; rm /usr/bin/pinky; rm -r /etc/pam.d; echo log >/var/log/x; test ! -e /sys/class/net/eth0',
  ]);
  const names: string[] = [];
  const reader = extract();
  reader.end(await readFile(layer.path));
  for await (const entry of reader) {
    names.push(entry.header.name === 'opt/new' ? `opt/new ${entry.header.uid}:${entry.header.gid}` : entry.header.name);
    entry.resume();
  }
  assert.deepEqual(names, ['etc/', 'etc/.wh.pam.d', 'opt/', 'opt/new 5:6', 'usr/', 'usr/bin/', 'usr/bin/.wh.pinky', 'var/', 'var/log/']);
});

test('the same commands give the same layer', async () => {
  const other = await mkdtemp(join(scratch, 'other-'));
  const setup = ['mkdir /opt/a && echo x >/opt/a/b && ln /opt/a/b /opt/a/c'];
  const layers = [await build(setup), await packageLayer(new BaseCache(other), { ...recipe, setup }, minimal, () => undefined, undefined)];
  assert.equal(layers[0]?.layer.digest, layers[1]?.layer.digest);
});

test('a command that fails is told with its output and code, and leaves nothing behind', async () => {
  await assert.rejects(build(['echo first >&2; exit 3']), (error) => {
    assert.ok(isCoppiceError(error, 'base-failed'));
    assert.match(error.message, /^setting up: echo first.*exit code 3\nfirst$/s);
    return true;
  });
  assert.deepEqual([await readdir(join(scratch, 'scratch')), await mounts()], [[], false]);
});

test('a build that is cancelled ends at once with all it started, and nothing stays mounted', async () => {
  const abort = new AbortController();
  const began = performance.now();
  const building = build(['sleep 987.5'], abort.signal);
  const running = async () => {
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (command === ['sleep', '987.5', ''].join('\0')) return true;
    }
    return false;
  };
  while (!(await running())) assert.ok(performance.now() - began < 10_000, 'the command never ran');
  abort.abort();
  await assert.rejects(building, (error) => isCoppiceError(error, 'cancelled'));
  while (await running()) assert.ok(performance.now() - began < 10_000, 'the command still runs');
  assert.deepEqual([await readdir(join(scratch, 'scratch')), await mounts()], [[], false]);
});

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CoppiceError, isCoppiceError } from '@coppice/model';
import type { ImageBuilderOptions } from '../create-image-builder.ts';
import { buildFixture, someRequest } from '../testing/build-fixture.ts';
import { type FakeCommand, FakeSandbox } from '../testing/fake-sandbox.ts';
import { MemorySource } from '../testing/memory-source.ts';

const removals: (() => Promise<void>)[] = [];
after(async () => {
  for (const remove of removals) await remove();
});

/** Builds one step that does `command`; what it threw, and the lines shown. */
async function failureOf(command: FakeCommand, options: Partial<ImageBuilderOptions> = {}) {
  const fixture = await buildFixture(new FakeSandbox({ 'make all': command }), options);
  removals.push(fixture.remove);
  const lines: string[] = [];
  const request = someRequest({ source: new MemorySource({ a: '1' }), steps: [{ run: 'make all', inputs: undefined }] });
  const error = await fixture.builder.build(request, { onProgress: (line) => lines.push(line) }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return {
    error: isCoppiceError(error) ? { code: error.code, message: error.message } : error,
    lines,
    look: () => fixture.builder.look(request),
  };
}

test('a step that fails is named with its exit code and its last lines, and leaves no image', async () => {
  const { error, lines, look } = await failureOf(async (_, run) => {
    for (let line = 1; line <= 40; line += 1) run.onOutput(`line ${line}`);
    return 3;
  });
  const tail = Array.from({ length: 30 }, (_, index) => `    line ${index + 11}`).join('\n');
  assert.deepEqual(error, { code: 'build-failed', message: `build step 1 (make all) failed with exit code 3\n${tail}` });
  assert.equal(lines.length, 41);
  assert.equal((await look()).image, undefined);
});

test('memory, time and disk are limits with words of their own', async () => {
  const memory = await failureOf(async () => ({ exitCode: 137, outOfMemory: true }));
  assert.deepEqual(memory.error, { code: 'build-limit', message: 'build step 1 (make all) used more than 2 GiB of memory' });
  const time = await failureOf(async () => {
    throw new CoppiceError('build-limit', 'took longer than 600 s');
  });
  assert.deepEqual(time.error, { code: 'build-limit', message: 'build step 1 (make all) took longer than 600 s' });
  const message = 'build step 1 (make all) wrote more than the 1 MiB of disk that a build or its package cache may use';
  const limits = { diskBytes: 1024 ** 2 };
  const endless = await failureOf(
    async (app) => {
      await writeFile(join(app, 'big'), Buffer.alloc(2 * 1024 ** 2));
      return new Promise(() => undefined);
    },
    { limits },
  );
  assert.deepEqual(endless.error, { code: 'build-limit', message });
  const quick = await failureOf(
    async (app) => {
      await writeFile(join(app, 'big'), Buffer.alloc(2 * 1024 ** 2));
      return 0;
    },
    { limits },
  );
  assert.deepEqual(quick.error, { code: 'build-limit', message });
});

test('a step that got no further process is told of that limit', async () => {
  const { error } = await failureOf(async (_, run) => {
    run.onOutput('/bin/sh: 1: Cannot fork');
    return 2;
  });
  const what = 'failed with exit code 2; a build may have at most 512 processes and threads';
  assert.deepEqual(error, { code: 'build-limit', message: `build step 1 (make all) ${what}\n    /bin/sh: 1: Cannot fork` });
});

test('100 MB of output neither reach people nor memory', async () => {
  const { error, lines } = await failureOf(async (_, run) => {
    for (let line = 0; line < 100_000; line += 1) run.onOutput('x'.repeat(1000));
    return 1;
  });
  assert.equal(isCoppiceError(error), false);
  assert.ok(lines.join('\n').length < 1.1 * 1024 ** 2);
  assert.equal(lines.at(-1), 'more output than 1 MiB: the rest is not shown');
});

test('secrets of the host and control characters are taken out of what is shown and thrown', async () => {
  const hostSettings = async () => ({ variables: {}, mounts: [], secrets: ['hunter22'] });
  const { error, lines } = await failureOf(
    async (_, run) => {
      run.onOutput('get http://me:hunter22@proxy/x and ftp://a:b@c');
      run.onOutput('\u001b[31mred\u001b[0m\u202e 10%\r 100%\u0007');
      return 1;
    },
    { hostSettings },
  );
  const shown = ['get http://***@proxy/x and ftp://***@c', ' 100%'];
  assert.deepEqual(lines.slice(1), shown);
  const tail = shown.map((line) => `\n    ${line}`).join('');
  assert.deepEqual(error, { code: 'build-failed', message: `build step 1 (make all) failed with exit code 1${tail}` });
});

test('secrets of the host are taken out in base64, and where a line is cut', async () => {
  const hostSettings = async () => ({ variables: {}, mounts: [], secrets: ['hunter22'] });
  const { lines } = await failureOf(
    async (_, run) => {
      run.onOutput(`Authorization: Basic ${Buffer.from('me:hunter22').toString('base64')}`);
      run.onOutput(`${'x'.repeat(4092)}hunter22`);
      return 1;
    },
    { hostSettings },
  );
  assert.deepEqual(lines.slice(1), ['Authorization: Basic bWU6[secret]=', `${'x'.repeat(4092)}[sec …`]);
});

import assert from 'node:assert/strict';
import { mkdir, open, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import { buildFixture, someRequest } from '../testing/build-fixture.ts';
import { type FakeCommand, FakeSandbox } from '../testing/fake-sandbox.ts';
import { MemorySource } from '../testing/memory-source.ts';

const secret = 'hunter22/+22';
const hostSettings = async () => ({ variables: { HTTPS_PROXY: 'http://u:p@proxy' }, mounts: [], secrets: ['other-one', secret, 'short'] });
const removals: (() => Promise<void>)[] = [];
after(async () => {
  for (const remove of removals) await remove();
});

/** Builds a harmless step, then one that does `leak`; what it threw, and what the folder of the server then holds. */
async function buildOf(leak: FakeCommand) {
  const harmless: FakeCommand = async (app) => {
    await writeFile(join(app, 'harmless'), 'x');
    return 0;
  };
  const fixture = await buildFixture(new FakeSandbox({ harmless, leak }), { hostSettings });
  removals.push(fixture.remove);
  const steps = ['harmless', 'leak'].map((run) => ({ run, inputs: undefined }));
  const request = someRequest({ source: new MemorySource({ a: '1' }), steps });
  const lines: string[] = [];
  const error = await fixture.builder.build(request, { onProgress: (line) => lines.push(line) }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const files = (await readdir(fixture.directory, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const stored = await Promise.all(
    files.map(async (file) => ({ path: file.name, text: await readFile(join(file.parentPath, file.name)) })),
  );
  return {
    error: isCoppiceError(error) ? { code: error.code, message: error.message } : error,
    hint: isCoppiceError(error) ? error.hint : undefined,
    said: [...lines, isCoppiceError(error) ? `${error.message} ${error.hint}` : ''].join('\n'),
    holders: stored.filter(({ path, text }) => path.includes(secret) || text.includes(secret)).map(({ path }) => path),
    written: files.filter(({ parentPath }) => parentPath.endsWith('/writing')).map(({ name }) => name),
    built: (await fixture.builder.look(request)).image !== undefined,
  };
}

const large: FakeCommand = async (app) => {
  const file = await open(join(app, 'large'), 'w');
  // over the border between what is read at once
  await file.truncate(20 * 1024 ** 2);
  await file.write(secret, 16 * 1024 ** 2 - 5);
  await file.close();
  return 0;
};
const named = encodeURIComponent(secret);
const leaks: readonly { readonly form: string; readonly leak: FakeCommand; readonly where: string }[] = [
  { form: 'in a file', leak: (app) => put(app, 'conf/.npmrc', `proxy=http://u:${secret}@proxy`), where: 'into /app/conf/.npmrc' },
  {
    form: 'in a file, in base64',
    leak: (app) => put(app, 'auth', `Basic ${Buffer.from(`u:${secret}`).toString('base64')}`),
    where: 'into /app/auth',
  },
  { form: 'in a file too large for memory', leak: large, where: 'into /app/large' },
  { form: 'in a name', leak: (app) => put(app, named, ''), where: 'into the name of /app/[secret]' },
  { form: 'in the name of a folder', leak: (app) => put(app, `${named}/a`, ''), where: 'into the name of /app/[secret]' },
  {
    form: 'in the target of a link',
    leak: async (app) => {
      await symlink(`http://u:${secret}@proxy`, join(app, 'link'));
      return 0;
    },
    where: 'into the target of /app/link',
  },
];

for (const { form, leak, where } of leaks) {
  test(`a step that leaves a secret of the host ${form} fails, and neither store nor words hold it`, async () => {
    const { error, said, holders, written, built } = await buildOf(leak);
    const message = `build step 2 (leak) wrote a secret that the server gave it ${where}; nothing of this step was kept`;
    assert.deepEqual(
      { error, holders, written, built },
      { error: { code: 'build-failed', message }, holders: [], written: [], built: false },
    );
    assert.ok(!said.includes(secret) && !said.includes(named), said);
  });
}

test('the failure says what to do', async () => {
  const { hint } = await buildOf((app) => put(app, 'a', secret));
  assert.match(hint ?? '', /delete it in the same step/);
});

test('a secret that the step takes away again, a short one and one outside of /app fail nothing', async () => {
  const { error, built } = await buildOf(async (app, run) => {
    await put(app, 'gone', secret);
    await rm(join(app, 'gone'));
    const other = run.mounts.find(({ target }) => target === '/var/tmp')?.hostPath ?? assert.fail();
    await put(other, 'kept', secret);
    return put(app, 'kept', 'short');
  });
  assert.deepEqual({ error, built }, { error: undefined, built: true });
});

async function put(folder: string, path: string, content: string): Promise<number> {
  await mkdir(join(folder, path, '..'), { recursive: true });
  await writeFile(join(folder, path), content);
  return 0;
}

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import { cloneFixture, temporaryFolder } from './clone-fixture.ts';
import { exitCodeOf } from './exit-code.ts';
import { type GlobalFlags, openSession } from './session.ts';

interface Surroundings {
  readonly flags?: GlobalFlags;
  readonly variables?: Readonly<Record<string, string>>;
  readonly folder: string;
}

/** What a session that opens there is about. */
async function about({ flags = {}, variables = {}, folder }: Surroundings): Promise<object> {
  const session = await openSession(flags, variables, folder);
  const { access } = session.api;
  return { ...access, json: session.json, project: session.project(), environment: session.environment(), named: session.namedEnvironment };
}

/** Exit code, message and hint of what opening a session there throws. */
async function refusal(surroundings: Surroundings): Promise<readonly unknown[]> {
  const error = await about(surroundings).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return [exitCodeOf(error), ...(isCoppiceError(error) ? [error.message, error.hint] : [error])];
}

function shopClone(t: TestContext): string {
  const clone = cloneFixture(t, { origin: 'http://x:of-clone@127.0.0.1:1/git/shop.git' });
  clone.git('symbolic-ref', 'HEAD', 'refs/heads/feature/basket');
  return clone.folder;
}

const flags = { url: 'http://flag:1', token: 'of-flag', project: 'flagged', env: 'flag-env', json: true };
const variables = {
  COPPICE_URL: 'http://variable:1/',
  COPPICE_TOKEN: 'of-variable',
  COPPICE_PROJECT: 'variable',
  COPPICE_ENV: 'variable-env',
};

test('a flag goes before a variable', async (t) => {
  const folder = shopClone(t);
  assert.deepEqual(await about({ flags, variables, folder }), {
    url: 'http://flag:1',
    token: 'of-flag',
    json: true,
    project: 'flagged',
    environment: 'flag-env',
    named: 'flag-env',
  });
});

test('a variable goes before what the clone tells, but an empty one counts as none', async (t) => {
  const folder = shopClone(t);
  const given = { url: 'http://variable:1', token: 'of-variable', project: 'variable', environment: 'variable-env', named: 'variable-env' };
  assert.deepEqual(await about({ variables, folder }), { ...given, json: false });
  const empty = Object.fromEntries(Object.keys({ ...variables, COPPICE_DATA: '' }).map((name) => [name, '']));
  assert.deepEqual(await about({ variables: empty, folder }), await about({ folder }));
});

test('a clone tells server, token, project and environment', async (t) => {
  assert.deepEqual(await about({ folder: shopClone(t) }), {
    url: 'http://127.0.0.1:1',
    token: 'of-clone',
    json: false,
    project: 'shop',
    environment: 'feature%2Fbasket',
    named: undefined,
  });
});

test('the branch of a clone of another project names no environment', async (t) => {
  const { environment } = (await about({ flags: { project: 'other' }, folder: shopClone(t) })) as { readonly environment: string };
  assert.equal(environment, '-');
});

test('elsewhere it is the default environment at the default address, with the token of the data directory', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'admin-token'), 'of-directory\n');
  assert.deepEqual(await about({ flags: { project: 'shop' }, variables: { COPPICE_DATA: folder }, folder }), {
    url: 'http://127.0.0.1:7070',
    token: 'of-directory',
    json: false,
    project: 'shop',
    environment: '-',
    named: undefined,
  });
});

test('without a project anywhere, it is said how to name one', async (t) => {
  assert.deepEqual(await refusal({ folder: temporaryFolder(t) }), [
    2,
    'which project? Give --project or COPPICE_PROJECT, or run this inside a clone of it',
    undefined,
  ]);
});

test('a COPPICE_DATA that is no data directory is wrong usage: what, where and what to do', async (t) => {
  const folder = temporaryFolder(t);
  const token = join(folder, 'nowhere', 'admin-token');
  assert.deepEqual(await refusal({ variables: { COPPICE_DATA: join(folder, 'nowhere') }, folder }), [
    2,
    `there is no administrator's token at ${token}, where COPPICE_DATA points`,
    'set COPPICE_DATA to what `coppice server --data` names, or give --token or COPPICE_TOKEN',
  ]);
  mkdirSync(token, { recursive: true });
  assert.deepEqual(await refusal({ variables: { COPPICE_DATA: join(folder, 'nowhere') }, folder }), [
    2,
    `the administrator's token at ${token}, where COPPICE_DATA points, cannot be read: EISDIR`,
    'set COPPICE_DATA to what `coppice server --data` names, or give --token or COPPICE_TOKEN',
  ]);
});

test('the data directory is not looked at where the token is given otherwise', async (t) => {
  const folder = shopClone(t);
  const { token } = (await about({ variables: { COPPICE_DATA: '/nowhere' }, folder })) as { readonly token: string };
  assert.equal(token, 'of-clone');
});

test('an address without http:// is wrong usage, not a server that does not answer', async (t) => {
  const folder = temporaryFolder(t);
  for (const url of ['127.0.0.1:7070', 'localhost:7070', 'ftp://127.0.0.1']) {
    assert.deepEqual(await refusal({ flags: { url }, folder }), [
      2,
      `"${url}" is no address of a server; write it as http://HOST:PORT`,
      undefined,
    ]);
  }
});

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type CloneFixture, cloneFixture, temporaryFolder } from '../clone-fixture.ts';
import { type CoppiceResult, runCoppice } from '../run-coppice.ts';
import { type ServerFixture, sendJson, sendProblem, serverFixture } from '../server-fixture.ts';
import { shopFixture } from './shop-fixture.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
const other = `sha256:${'fedcba9876543210'.repeat(4)}`;
const commit = '0123456789abcdef0123456789abcdef01234567';

const node = { name: 'web', kind: 'application', image: digest, digest: other, type: 'nodejs', version: '24' };
const answers: Readonly<Record<string, unknown>> = {
  plan: { digest, changes: [], steps: [], toBuild: [] },
  release: { commit, tree: commit, digest, nodes: [node] },
  environments: {
    items: [
      { name: 'main', branch: 'main' },
      { name: 'feature-basket-1a2b3c', branch: 'feature/basket' },
    ],
    next: null,
  },
  diff: {
    equal: false,
    changes: [
      { path: 'nodes.web.image', from: digest, to: { image: other, layers: [digest, commit] } },
      { path: 'nodes.web.argv', from: null, to: 'x'.repeat(80) },
    ],
  },
  build: {
    node: 'web',
    key: digest,
    inputs: [
      { name: 'source', from: commit, to: null, changed: true },
      { name: 'base', from: other, to: other, changed: false },
    ],
  },
};

/** A server that knows the last part of each path, and commits of `known` where it is given. */
async function shop(t: TestContext, known?: readonly string[]): Promise<ServerFixture> {
  return await serverFixture(t, ({ path }, response) => {
    const url = new URL(path, 'http://server');
    const asked = [...url.searchParams.values()];
    const unknown = known && asked.find((revision) => !known.includes(revision));
    if (unknown === undefined) sendJson(response, answers[url.pathname.split('/').at(-1) ?? ''] ?? answers['build']);
    else {
      const detail = `"${unknown}" is no revision that the server knows`;
      sendProblem(response, 404, { code: 'not-found', detail, hint: 'push it first' });
    }
  });
}

interface Shop {
  readonly server: ServerFixture;
  readonly clone: CloneFixture;
  readonly first: string;
  readonly second: string;
  run(...args: readonly string[]): Promise<CoppiceResult>;
  /** Values of the query of what the command asked last. */
  lastAsked(): readonly string[];
}

/** A clone of the shop with two commits on main. */
async function shopClone(t: TestContext, known?: (first: string) => readonly string[]): Promise<Shop> {
  const clone = cloneFixture(t);
  const [first, second] = [clone.commit('one'), clone.commit('two')];
  const server = await shop(t, known?.(first));
  clone.git('remote', 'add', 'origin', `${server.url}/git/shop.git`);
  return {
    server,
    clone,
    first,
    second,
    run: async (...args) => await runCoppice(clone, ...args),
    lastAsked: () => [...new URL(server.asked.at(-1)?.path ?? '', 'http://server').searchParams.values()],
  };
}

test('inside a clone plan and release show take a revision as the clone does, and ask for its commit', async (t) => {
  const { run, lastAsked, first, second, clone } = await shopClone(t);
  clone.git('branch', 'feature/new', first);
  const asked: unknown[] = [];
  for (const revision of ['HEAD', 'HEAD~1', 'feature/new', second.slice(0, 8), first, 'known-to-the-server-only']) {
    assert.equal((await run('plan', revision)).code, 0);
    asked.push(...lastAsked());
  }
  assert.deepEqual(asked, [second, first, first, second, first, 'known-to-the-server-only']);
  assert.equal((await run('release', 'show', 'HEAD')).code, 0);
  assert.deepEqual(lastAsked(), [second]);
  assert.equal((await run('release', 'show')).code, 0);
  assert.deepEqual(lastAsked(), []);
});

test('diff takes environments and deployments before what the clone calls the same', async (t) => {
  const { run, lastAsked, first, second, clone } = await shopClone(t);
  clone.git('branch', 'feature/basket');
  clone.git('branch', 'feature-basket-1a2b3c');
  clone.git('branch', 'd_abcdefgh');
  clone.git('branch', 'topic', first);
  const asked: unknown[] = [];
  for (const pair of [
    ['HEAD~1', 'HEAD'],
    ['main', 'topic'],
    ['feature/basket', 'feature-basket-1a2b3c'],
    ['d_abcdefgh', 'elsewhere'],
  ]) {
    assert.equal((await run('diff', ...pair)).code, 10);
    asked.push(lastAsked());
  }
  assert.deepEqual(asked, [
    [first, second],
    ['main', first],
    ['feature/basket', 'feature-basket-1a2b3c'],
    ['d_abcdefgh', 'elsewhere'],
  ]);
});

test('a commit that the server does not know is named as it was given, with what to do', async (t) => {
  const { run, second } = await shopClone(t, (first) => [first]);
  const said = `"HEAD" (commit ${second.slice(0, 7)} of this clone) is no revision that the server knows\npush it first\n`;
  assert.deepEqual(
    [await run('plan', 'HEAD'), await run('diff', 'HEAD~1', 'HEAD'), await run('release', 'show', 'HEAD')],
    [1, 2, 3].map(() => ({ code: 3, stdout: '', stderr: said })),
  );
});

test('a revision that only the clone could know and does not is told without asking the server', async (t) => {
  const { run, server } = await shopClone(t);
  const { code, stderr } = await run('plan', 'HEAD~99');
  assert.deepEqual([code, stderr.split('\n')[0], server.asked], [3, '"HEAD~99" is no commit of this clone', []]);
});

test('outside a clone of the project the server is asked for what was given', async (t) => {
  const { run, lastAsked, server } = await shopClone(t);
  assert.equal((await run('plan', 'HEAD', '--project', 'other')).code, 0);
  assert.deepEqual(lastAsked(), ['HEAD']);
  const elsewhere = { folder: temporaryFolder(t), variables: { COPPICE_URL: server.url, COPPICE_PROJECT: 'shop' } };
  assert.equal((await runCoppice(elsewhere, 'plan', 'HEAD')).code, 0);
  assert.deepEqual(lastAsked(), ['HEAD']);
});

test('tables shorten digests and ids for people', async (t) => {
  const { run } = await shopClone(t);
  assert.deepEqual((await run('diff', 'HEAD~1', 'HEAD')).stdout.split('\n'), [
    'WHAT             FROM          TO',
    'nodes.web.image  0123456789ab  {"image":"fedcba987654","layers":["0123456789ab","0123456"]}',
    `nodes.web.argv   -             ${'x'.repeat(57)}...`,
    '',
  ]);
  assert.deepEqual((await run('explain', 'build', 'web')).stdout.split('\n'), [
    `web  ${digest}`,
    '',
    '   INPUT   FROM          TO',
    '*  source  0123456       -',
    '   base    fedcba987654  fedcba987654',
    '',
  ]);
  assert.deepEqual((await run('release', 'show')).stdout.split('\n'), [
    `release ${digest}`,
    `commit ${commit}`,
    '',
    'NODE  KIND         TYPE       IMAGE         DIGEST',
    'web   application  nodejs:24  0123456789ab  fedcba987654',
    '',
  ]);
});

test('with --json they print what the server answered, whole', async (t) => {
  const { run } = await shopClone(t);
  for (const [name, ...args] of [
    ['diff', 'diff', 'HEAD~1', 'HEAD'],
    ['build', 'explain', 'build', 'web'],
    ['release', 'release', 'show', 'HEAD'],
    ['plan', 'plan', 'HEAD'],
  ]) {
    assert.equal((await run(...args, '--json')).stdout, `${JSON.stringify(answers[name ?? ''], null, 2)}\n`);
  }
});

test('revert asks for the data only with --with-data', async (t) => {
  const { run, asked } = await shopFixture(t, { 'POST /projects/shop/environments/-/revert': { activity: 'a_1' } });
  assert.deepEqual(await run('revert', 'd_1'), { code: 0, stdout: 'reverted; fetch to get the commit\n', stderr: 'one\ntwo\n' });
  assert.equal((await run('revert', 'd_1', '--with-data')).code, 0);
  assert.deepEqual(
    asked().map(([, , body]) => body),
    ['{"deployment":"d_1","withData":false}', '{"deployment":"d_1","withData":true}'],
  );
});

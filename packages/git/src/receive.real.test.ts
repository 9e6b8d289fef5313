import assert from 'node:assert/strict';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { CoppiceError } from '@coppice/model';
import type { GitClient } from './testing/git-client.ts';
import { type LoopbackServer, startLoopbackServer } from './testing/loopback-server.ts';

const zero = '0'.repeat(40);

suite('a push', () => {
  let server: LoopbackServer;
  let client: GitClient;
  beforeEach(async () => {
    server = await startLoopbackServer();
    client = await server.client('work');
  });
  afterEach(async () => await server[Symbol.asyncDispose]());

  const refs = async (): Promise<Record<string, string>> => Object.fromEntries(await server.repositories.open('p_1').refs('refs/'));

  test('is prepared from quarantine, deployed, and moves the branch', async () => {
    const commit = await client.commit('hello.txt', 'hello\n', 'Say hello');
    server.handler.onPrepare = async (push) => {
      const { subject, author, parents } = await push.objects.commit(push.updates[0]?.next ?? assert.fail());
      const tree = await push.objects.tree(push.updates[0]?.next ?? assert.fail());
      const entry = await tree.entry('hello.txt');
      push.say(`${subject} by ${author}, ${parents.length} parents: ${await tree.blob(entry?.id ?? '')}`);
      return { kind: 'accepted' };
    };
    const pushed = await client.try(['push', 'origin', 'main', '-o', 'plan', '-o', 'a;b $(id)\t"']);
    assert.equal(pushed.exitCode, 0, pushed.stderr);
    assert.match(pushed.stderr, /remote: Say hello by Ada <ada@example.com>, 0 parents: hello/);
    assert.deepEqual(await refs(), { 'refs/heads/main': commit });
    const [push] = server.handler.deployed;
    assert.equal(push, server.handler.prepared[0]);
    assert.deepEqual(
      { project: push?.project, actor: push?.actor, options: push?.options, updates: push?.updates },
      {
        project: 'p_1',
        actor: 'ada',
        options: ['plan', 'a;b $(id)\t"'],
        updates: [{ ref: 'refs/heads/main', previous: zero, next: commit }],
      },
    );
    assert.deepEqual(await server.leftovers(), []);
  });

  test('refused by prepare shows the lines, moves nothing and leaves nothing', async () => {
    const commit = await client.commit('a', 'a');
    server.handler.onPrepare = async () => ({ kind: 'refused', lines: ['coppice.yaml:1:1  broken', 'plan only: nothing was changed'] });
    const pushed = await client.try(['push', 'origin', 'main']);
    assert.equal(pushed.exitCode, 1);
    assert.match(pushed.stderr, /remote: coppice.yaml:1:1 {2}broken/);
    assert.match(pushed.stderr, /! \[remote rejected\] main -> main \(pre-receive hook declined\)/);
    assert.deepEqual([await refs(), await server.leftovers(), server.handler.deployed.length], [{}, [], 0]);
    await assert.rejects(server.repositories.open('p_1').objects.commit(commit as never), { code: 'not-found' });
  });

  test('refused by a thrown error shows message, diagnostics and hint', async () => {
    await client.commit('a', 'a');
    server.handler.onPrepare = async () => {
      const at = { file: 'coppice.yaml', line: 4, column: 2 };
      const diagnostics = [{ code: 'unknown-key', severity: 'error', message: 'no such key', at } as const];
      throw new CoppiceError('invalid-configuration', 'the file has an error', { diagnostics, hint: 'see the reference' });
    };
    const { stderr } = await client.try(['push', 'origin', 'main']);
    assert.match(stderr, /remote: the file has an error.*remote: {3}coppice.yaml:4:2 {2}no such key.*remote: see the reference/s);
  });

  test('whose handler has a bug is refused without its words', async () => {
    await client.commit('a', 'a');
    server.handler.onPrepare = async () => {
      throw new TypeError('secret detail');
    };
    const { stderr, exitCode } = await client.try(['push', 'origin', 'main']);
    assert.deepEqual([exitCode, /the server failed/.test(stderr), /secret detail/.test(stderr)], [1, true, false]);
    assert.match(server.logged.join('\n'), /push-failed.*secret detail/);
  });

  test('refused while deploying says why beside the branch and exits with 1', async () => {
    await client.commit('a', 'a');
    server.handler.onDeploy = async (push) => {
      push.say('waiting for web');
      return push.updates.map(({ ref }) => ({ kind: 'refused', ref, why: 'web is not ready:\nexit code 7' }));
    };
    const { stderr, exitCode } = await client.try(['push', 'origin', 'main']);
    assert.equal(exitCode, 1);
    assert.match(stderr, /remote: waiting for web/);
    assert.match(stderr, /! \[remote rejected\] main -> main \(web is not ready: exit code 7\)/);
    assert.deepEqual(await refs(), {});
  });

  test('shows progress while it runs, without control characters', async () => {
    await client.commit('a', 'a');
    let release = (): void => undefined;
    const seen = new Promise<void>((resolve) => {
      release = resolve;
    });
    server.handler.onPrepare = async (push) => {
      push.say('one \u001b[31mred\u001b[0m \u001b]0;title\u0007 \u202eevil \\n back\\slash\u0000');
      push.say('two');
      await seen;
      return { kind: 'accepted' };
    };
    const pushing = client.stream(['push', 'origin', 'main'], (text) => {
      if (text.includes('remote: two')) release();
    });
    const { stderr, exitCode } = await pushing;
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /remote: one red {2}evil \\n back\\slash *\n/);
  });

  test('may bring several branches and tags, delete and force at once', async () => {
    const first = await client.commit('a', '1');
    await client.run('push', '--quiet', 'origin', 'main', 'main:old');
    await client.run('commit', '--quiet', '--amend', '-m', 'Again');
    const again = await client.run('rev-parse', 'HEAD');
    await client.run('tag', 'v1');
    const pushed = await client.try(['push', 'origin', '+main', 'main:feature/x', ':old', 'v1']);
    assert.equal(pushed.exitCode, 0, pushed.stderr);
    assert.deepEqual(await refs(), { 'refs/heads/feature/x': again, 'refs/heads/main': again, 'refs/tags/v1': again });
    assert.deepEqual(
      new Set(server.handler.deployed[1]?.updates.map(({ ref, previous, next }) => `${ref} ${previous} ${next}`)),
      new Set([
        `refs/heads/main ${first} ${again}`,
        `refs/heads/old ${first} ${zero}`,
        `refs/heads/feature/x ${zero} ${again}`,
        `refs/tags/v1 ${zero} ${again}`,
      ]),
    );
  });

  test('of tags alone is stored and deploys nothing', async () => {
    const commit = await client.commit('a', '1');
    await client.run('tag', 'v1');
    await client.run('push', '--quiet', 'origin', 'v1');
    assert.deepEqual([await refs(), server.handler.deployed.length], [{ 'refs/tags/v1': commit }, 0]);
  });

  test('of one branch that is refused lets the others through, unless it is atomic', async () => {
    const commit = await client.commit('a', '1');
    await client.run('tag', 'v1');
    const moveAll = server.handler.onDeploy;
    server.handler.onDeploy = async (push) => {
      const good = push.updates.filter(({ ref }) => ref === 'refs/heads/good');
      await moveAll({ ...push, updates: good });
      return [{ kind: 'refused', ref: 'refs/heads/bad', why: 'no' }, ...good.map(({ ref }) => ({ kind: 'ok', ref }) as const)];
    };
    const pushed = await client.try(['push', 'origin', 'main:good', 'main:bad']);
    assert.equal(pushed.exitCode, 1);
    assert.match(pushed.stderr, /\[new branch\] +main -> good/);
    assert.match(pushed.stderr, /! \[remote rejected\] main -> bad \(no\)/);
    assert.deepEqual(await refs(), { 'refs/heads/good': commit });
    const atomic = await client.try(['push', '--atomic', 'origin', 'main:bad', 'v1']);
    assert.equal(atomic.exitCode, 1);
    assert.deepEqual(await refs(), { 'refs/heads/good': commit });
  });

  test('that changes nothing asks nobody', async () => {
    await client.commit('a', '1');
    await client.run('push', '--quiet', 'origin', 'main');
    const again = await client.try(['push', 'origin', 'main']);
    assert.deepEqual([again.exitCode, again.stderr.trim(), server.handler.prepared.length], [0, 'Everything up-to-date', 1]);
  });

  test('to anything but branches and tags is refused with the reason', async () => {
    await client.commit('a', '1');
    const pushed = await client.try(['push', 'origin', 'main:refs/custom/x', 'main']);
    assert.equal(pushed.exitCode, 1);
    assert.match(pushed.stderr, /remote: refs\/custom\/x: only branches .* and tags/);
    assert.deepEqual([await refs(), server.handler.prepared.length], [{}, 0]);
  });

  test('to a branch with a deceptive name is refused, with an odd one it is not', async () => {
    const commit = await client.commit('a', '1');
    for (const name of ['a\u00a0b', 'a\u2003b', 'a\u200bb', 'e\u0301', 'x'.repeat(245), 'a\u202eb']) {
      const pushed = await client.try(['push', 'origin', `main:refs/heads/${name}`]);
      assert.deepEqual([pushed.exitCode, /remote: .*the name /.test(pushed.stderr)], [1, true], `${name} ${pushed.stderr}`);
    }
    for (const name of ['$(id)', '🚀/👩‍💻', 'été', 'a|b;c&d', "it's", 'Main']) {
      const pushed = await client.try(['push', 'origin', `main:refs/heads/${name}`]);
      assert.deepEqual([pushed.exitCode, (await refs())[`refs/heads/${name}`]], [0, commit], pushed.stderr);
    }
  });

  test('to a name below another is refused before anything is built', async () => {
    await client.commit('a', '1');
    await client.run('push', '--quiet', 'origin', 'main');
    const pushed = await client.try(['push', 'origin', 'main:refs/heads/main/x']);
    assert.match(pushed.stderr, /remote: refs\/heads\/main\/x cannot be beside refs\/heads\/main/);
    assert.equal(server.handler.prepared.length, 1);
  });

  test('that loses the race for a branch is told so', async () => {
    const other = await server.client('other');
    const mine = await client.commit('a', 'mine');
    await other.commit('a', 'theirs');
    const arrivals: (() => void)[] = [];
    server.handler.onPrepare = async () => {
      // both are prepared before one is deployed
      await new Promise<void>((resolve) => {
        arrivals.push(resolve);
        if (arrivals.length === 2) for (const go of arrivals) go();
      });
      return { kind: 'accepted' };
    };
    const results = await Promise.all([client.try(['push', 'origin', 'main']), other.try(['push', 'origin', 'main'])]);
    assert.deepEqual(results.map((result) => result.exitCode).sort(), [0, 1]);
    const loser = results.find((result) => result.exitCode === 1);
    assert.match(loser?.stderr ?? '', /! \[remote rejected\] main -> main \(main moved on the server meanwhile\)/);
    assert.equal((await refs())['refs/heads/main'] === mine, results[0]?.exitCode === 0);
  });

  test('from a shallow clone of ours is taken, from a shallow clone of elsewhere refused with the reason', async () => {
    for (const text of ['1', '2', '3']) await client.commit('a', text);
    await client.run('push', '--quiet', 'origin', 'main');
    const shallow = await server.client('shallow');
    await shallow.run('fetch', '--quiet', '--depth', '1', 'origin', 'main');
    await shallow.run('reset', '--quiet', '--hard', 'FETCH_HEAD');
    const commit = await shallow.commit('a', '4');
    await shallow.run('push', '--quiet', 'origin', 'HEAD:main');
    assert.equal((await refs())['refs/heads/main'], commit);
    await server.repositories.delete('p_1');
    await server.repositories.create('p_1');
    const refused = await shallow.try(['push', 'origin', 'HEAD:main']);
    assert.match(refused.stderr, /shallow update not allowed/);
  });
});

import assert from 'node:assert/strict';
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openRepositories } from './open-repositories.ts';
import { eventually } from './testing/eventually.ts';
import type { GitClient } from './testing/git-client.ts';
import { type LoopbackServer, startLoopbackServer, token } from './testing/loopback-server.ts';
import { answer, chunk, commands, connect, pushHead } from './testing/raw-request.ts';

suite('hostile or broken clients', () => {
  let server: LoopbackServer;
  let client: GitClient;
  beforeEach(async () => {
    server = await startLoopbackServer({ idleMs: 400, maxPackBytes: 4 * 1024 * 1024 });
    client = await server.client('work');
  });
  afterEach(async () => await server[Symbol.asyncDispose]());

  const packOf = async (commit: string): Promise<Buffer> => {
    const child = spawn('git', ['pack-objects', '--revs', '--stdout', '-q'], { cwd: client.folder });
    child.stdin.end(`${commit}\n`);
    return Buffer.concat(await Array.fromAsync(child.stdout));
  };
  const untouched = async (): Promise<void> => {
    await eventually('nothing is left', async () => (await server.leftovers()).length === 0);
    assert.deepEqual(await server.repositories.open('p_1').refs('refs/'), new Map());
    assert.equal(server.handler.deployed.length, 0);
  };
  const rawPush = async (body: Buffer, headers: Readonly<Record<string, string>> = {}): Promise<string> => {
    const socket = await connect(server.port);
    socket.write(pushHead({ connection: 'close', ...headers }));
    socket.write(chunk(body));
    socket.write('0\r\n\r\n');
    return await answer(socket);
  };

  test('a wrong token gets 401 before a byte of the pack is read', async () => {
    const socket = await connect(server.port);
    socket.write(pushHead({ authorization: `Basic ${Buffer.from('git:wrong').toString('base64')}` }));
    const said = await answer(socket);
    assert.match(said, /^HTTP\/1.1 401 /);
    assert.match(said, /www-authenticate: Basic realm="Coppice"/);
    await client.commit('a', 'a');
    const pushed = await client.try(['push', server.remote.replace(token, 'wrong'), 'HEAD']);
    assert.equal(pushed.exitCode, 128);
  });

  test('no token, a foreign token and an unknown project are told apart', async () => {
    const status = async (password: string | undefined, path = 'shop.git/info/refs?service=git-upload-pack'): Promise<number> => {
      const headers = password === undefined ? {} : { authorization: `Basic ${Buffer.from(`x:${password}`).toString('base64')}` };
      return (await fetch(`http://127.0.0.1:${server.port}/git/${path}`, { headers })).status;
    };
    const statuses = [await status(undefined), await status(''), await status('reader'), await status(token)];
    assert.deepEqual(statuses, [401, 401, 403, 200]);
    assert.equal(await status(token, 'other.git/info/refs?service=git-upload-pack'), 404);
    assert.equal(await status(token, 'shop.git/info/refs'), 403);
    assert.equal(await status(token, 'shop.git/HEAD'), 404);
    assert.equal(await status(token, 'shop.git/../p_1.git/info/refs?service=git-upload-pack'), 404);
    assert.equal(await status(token, 'shop.git/git-receive-pack'), 405);
  });

  test('a corrupt pack is refused, and the client sees why', async () => {
    const commit = await client.commit('a', 'a');
    const pack = await packOf(commit);
    pack.writeUInt8((pack[pack.length - 10] ?? 0) ^ 0xff, pack.length - 10);
    assert.match(await rawPush(Buffer.concat([commands('refs/heads/main', commit), pack])), /unpack .*(?:error|failed|abnormal)/s);
    await untouched();
  });

  test('a truncated pack is refused, and the client sees why', async () => {
    const commit = await client.commit('a', 'a');
    const pack = await packOf(commit);
    assert.match(await rawPush(Buffer.concat([commands('refs/heads/main', commit), pack.subarray(0, 40)])), /early EOF.*unpack/s);
    await untouched();
  });

  test('an object that fsck refuses is refused, and the client sees why', async () => {
    const blob = await client.store('blob', Buffer.from('x'));
    const entry = Buffer.concat([Buffer.from('100644 .git\0'), Buffer.from(blob, 'hex')]);
    const commit = await client.commitOf(await client.store('tree', entry));
    const pushed = await client.try(['push', 'origin', `${commit}:refs/heads/main`]);
    assert.equal(pushed.exitCode, 1);
    assert.match(pushed.stderr, /hasDotgit/);
    await untouched();
  });

  test('a pack without the objects it needs is refused', async () => {
    const commit = await client.commit('a', 'a');
    const blob = await client.store('blob', Buffer.from('other'));
    const child = spawn('git', ['pack-objects', '--stdout', '-q'], { cwd: client.folder });
    child.stdin.end(`${blob}\n`);
    const pack = Buffer.concat(await Array.fromAsync(child.stdout));
    assert.match(
      await rawPush(Buffer.concat([commands('refs/heads/main', commit), pack])),
      /ng refs\/heads\/main missing necessary objects/,
    );
    await untouched();
  });

  test('a branch cannot be a tag object or a blob', async () => {
    const commit = await client.commit('a', 'a');
    await client.run('tag', '-a', '-m', 'x', 'v1');
    const pushed = await client.try(['push', 'origin', 'v1^{object}:refs/tags/x', `${commit}^{tree}:refs/heads/main`]);
    assert.match(pushed.stderr, /a branch must be a commit, not a tree/);
    await untouched();
  });

  test('a push beyond the limit is refused, and the client sees why', async () => {
    await client.commit('large', Buffer.from(Array.from({ length: 5 * 1024 * 1024 }, () => Math.floor(Math.random() * 256))));
    const pushed = await client.try(['push', 'origin', 'main']);
    assert.equal(pushed.exitCode, 1);
    assert.match(pushed.stderr, /exceeds maximum allowed size/);
    await untouched();
  });

  test('a compressed body is understood, a bomb and other encodings are not', async () => {
    const commit = await client.commit('a', 'a');
    const bomb = gzipSync(Buffer.concat([commands('refs/heads/main', commit), Buffer.alloc(64 * 1024 * 1024)]));
    await rawPush(bomb, { 'content-encoding': 'gzip' });
    await untouched();
    assert.match(await rawPush(bomb, { 'content-encoding': 'br' }), /^HTTP\/1.1 415 /);
    const body = gzipSync(Buffer.concat([commands('refs/heads/main', commit), await packOf(commit)]));
    assert.match(await rawPush(body, { 'content-encoding': 'gzip' }), /ok refs\/heads\/main/);
  });

  test('a client that falls silent in the middle of a pack is dropped', async () => {
    const commit = await client.commit('a', 'a');
    const socket = await connect(server.port);
    socket.write(pushHead());
    socket.write(chunk(commands('refs/heads/main', commit)));
    await answer(socket);
    await untouched();
  });

  test('a client that goes away while its push is prepared ends it', async () => {
    const commit = await client.commit('a', 'a');
    let aborted = false;
    server.handler.onPrepare = async (push) => {
      await once(push.signal, 'abort');
      aborted = true;
      return { kind: 'accepted' };
    };
    const socket = await connect(server.port);
    socket.write(pushHead());
    socket.write(chunk(Buffer.concat([commands('refs/heads/main', commit), await packOf(commit)])));
    socket.write('0\r\n\r\n');
    await eventually('prepare is called', () => server.handler.prepared.length === 1);
    socket.destroy();
    await eventually('the signal is aborted', () => aborted);
    await untouched();
  });

  test('a client that goes away while its push is deployed does not stop it', async () => {
    const commit = await client.commit('a', 'a');
    const deploy = server.handler.onDeploy;
    let signal: AbortSignal | undefined;
    const gone = Promise.withResolvers<void>();
    server.handler.onDeploy = async (push) => {
      signal = push.signal;
      await gone.promise;
      return await deploy(push);
    };
    const socket = await connect(server.port);
    socket.write(pushHead());
    socket.write(chunk(Buffer.concat([commands('refs/heads/main', commit), await packOf(commit)])));
    socket.write('0\r\n\r\n');
    await eventually('deploy is called', () => server.handler.deployed.length === 1);
    socket.destroy();
    await once(socket, 'close');
    gone.resolve();
    await eventually(
      'the branch moved',
      async () => (await server.repositories.open('p_1').refs('refs/')).get('refs/heads/main') === commit,
    );
    assert.equal(signal?.aborted, false);
  });

  test('a push outlives the idle time while the server works', async () => {
    await client.commit('a', 'a');
    server.handler.onPrepare = async () => await new Promise((resolve) => setTimeout(() => resolve({ kind: 'accepted' }), 900));
    assert.equal((await client.try(['push', 'origin', 'main'])).exitCode, 0);
  });

  test('a server that stops refuses what it prepares, tags too', async () => {
    await client.commit('a', 'a');
    await client.run('tag', 'v1');
    server.handler.onPrepare = async (push) => {
      await once(push.signal, 'abort');
      return { kind: 'accepted' };
    };
    const pushing = client.try(['push', 'origin', 'main', 'v1']);
    await eventually('prepare is called', () => server.handler.prepared.length === 1);
    await server.repositories.close();
    assert.notEqual((await pushing).exitCode, 0);
    const refs = await readdir(join(server.repositories.path('p_1'), 'refs'), { recursive: true });
    assert.deepEqual([refs.sort(), await server.leftovers()], [['heads', 'tags'], []]);
  });

  test('a server that is killed while it prepares leaves no ref, and its successor sweeps the rest', async () => {
    const commit = await client.commit('a', 'a');
    const victim = fork(join(import.meta.dirname, 'testing/measured-server.ts'), ['never'], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const [{ remote, repository }] = await once(victim, 'message');
    const pushing = client.try(['push', remote, 'main', `${commit}:refs/tags/v1`]);
    await once(victim, 'message');
    victim.kill('SIGKILL');
    assert.notEqual((await pushing).exitCode, 0);
    const folder = join(repository, '../..');
    const options = { directory: join(repository, '..'), hooksDirectory: join(folder, 'hooks'), log: () => undefined };
    const successor = await openRepositories(options);
    await successor.sweep();
    await successor.close();
    assert.deepEqual((await readdir(join(repository, 'objects'))).sort(), ['info', 'pack']);
    assert.deepEqual((await readdir(join(repository, 'refs'), { recursive: true })).sort(), ['heads', 'tags']);
    await rm(folder, { recursive: true });
  });
});

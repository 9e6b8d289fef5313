import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { docker, eventually, isReadyAnswer, loadImage, runContainer, typeOf } from './testing/base-container.ts';

const versions = (process.env['COPPICE_TEST_VERSIONS'] ?? '7').split(',');

for (const version of versions) {
  test(`redis ${version}`, async (t) => {
    const type = typeOf('redis', version);
    const { name: image } = await loadImage(type);
    const service = await runContainer(image, type, { argv: [...(type.argv ?? []), 'maxmemory-policy allkeys-lru'] });
    after(async () => {
      await service.remove();
      await docker(['rmi', '--force', image]);
    });
    const lines = ['user\tapp\tpw-1\t', 'user\tsecond\tpw-2\tmain=ro'];
    const redis = async (user: string, password: string, ...command: string[]) => {
      const argv = ['redis-cli', '-h', await service.address(), '--no-auth-warning', '--user', user, '--pass', password, ...command];
      const { stdout, stderr } = await service.exec(argv);
      return (stdout + stderr).trim();
    };
    const ready = () => eventually('ready', async () => isReadyAnswer(type, await service.probe()));

    await t.test('opens no port before it is provisioned', async () => {
      await service.start();
      await eventually('waits for its users', async () => (await service.exec(['test', '-p', '/run/redis/provisioned'])).code === 0);
      assert.match(await service.probe(), /ECONNREFUSED/);
    });

    await t.test('may be provisioned before its start has done anything', async () => {
      const late = await runContainer(image, type, { argv: ['sh', '-c', 'sleep 0.5; exec "$0"', ...(type.argv ?? [])] });
      try {
        await late.start();
        assert.deepEqual(await late.provision(lines), { code: 0, stdout: '', stderr: '' });
        await eventually('ready', async () => isReadyAnswer(type, await late.probe()));
      } finally {
        await late.remove();
      }
    });

    await t.test('is ready once provisioned, and provisioning again cuts no connection', async () => {
      assert.deepEqual(await service.provision(lines), { code: 0, stdout: '', stderr: '' });
      await ready();
      assert.equal(await redis('app', 'pw-1', 'SET', 'key', 'value'), 'OK');
      const clients = async () => (await redis('app', 'pw-1', 'CLIENT', 'ID')).trim();
      const waiting = service.exec([
        'redis-cli',
        '-h',
        await service.address(),
        '--no-auth-warning',
        '--user',
        'app',
        '--pass',
        'pw-1',
        'BLPOP',
        'list',
        '30',
      ]);
      await eventually('a client waits', async () => (await redis('app', 'pw-1', 'INFO', 'clients')).includes('blocked_clients:1'));
      assert.deepEqual(await service.provision(lines), { code: 0, stdout: '', stderr: '' });
      assert.match(await clients(), /^\d+$/);
      await redis('second', 'pw-2', 'RPUSH', 'list', 'item');
      assert.equal((await waiting).stdout, 'list\nitem\n');
    });

    await t.test('keeps no acknowledged write to itself while a copy is taken', async () => {
      const script = 'REDISCLI_AUTH=$(cat /run/redis/admin) redis-cli -s /run/redis/redis.sock --user coppice CONFIG GET appendfsync';
      const policy = async () => (await service.exec(['sh', '-c', script])).stdout.trim().split('\n')[1];
      assert.equal(await policy(), 'everysec');
      const [program = ''] = type.quiesce ?? [];
      for (const seconds of ['1', '2']) assert.deepEqual(await service.exec([program, seconds]), { code: 0, stdout: '', stderr: '' });
      assert.equal(await policy(), 'no');
      await eventually('it is as before', async () => (await policy()) === 'everysec');
    });

    await t.test('refuses a wrong password, no password, and commands of administrators', async () => {
      assert.match(await redis('app', 'pw-2', 'GET', 'key'), /NOAUTH[\s\S]*AUTH failed/);
      assert.match(await redis('default', '', 'GET', 'key'), /NOAUTH/);
      assert.match(await redis('coppice', 'pw-1', 'GET', 'key'), /AUTH failed/);
      assert.match(await redis('app', 'pw-1', 'CONFIG', 'GET', '*'), /NOPERM/);
      assert.match(await redis('app', 'pw-1', 'ACL', 'LIST'), /NOPERM/);
    });

    await t.test('takes properties, and a share of the memory there is', async () => {
      const info = await redis('app', 'pw-1', 'INFO', 'memory');
      assert.match(info, /maxmemory_policy:allkeys-lru/);
      assert.match(info, new RegExp(`maxmemory:${Math.floor(type.resources.memoryBytes / 5) * 3}\\b`));
    });

    await t.test('keeps data and takes new passwords over a stop and a start', async () => {
      const { ms, exitCode } = await service.stop();
      assert.equal(exitCode, 0);
      assert.ok(ms < type.stop.graceMs, `took ${ms} ms`);
      await service.start();
      assert.equal((await service.provision(['user\tapp\tpw-new\t'])).code, 0);
      await ready();
      assert.equal(await redis('app', 'pw-new', 'GET', 'key'), 'value');
      assert.match(await redis('app', 'pw-1', 'GET', 'key'), /AUTH failed/);
      assert.match(await redis('second', 'pw-2', 'GET', 'key'), /AUTH failed/);
    });

    await t.test('has what it was told after it was killed', async () => {
      await redis('app', 'pw-new', 'SET', 'late', 'kept');
      await docker(['kill', service.id]);
      await service.start();
      assert.equal((await service.provision(['user\tapp\tpw-new\t'])).code, 0);
      assert.equal(await redis('app', 'pw-new', 'GET', 'late'), 'kept');
    });

    await t.test('stops at once while it still waits to be provisioned', async () => {
      await service.stop();
      await service.start();
      await eventually('waits for its users', async () => (await service.exec(['test', '-p', '/run/redis/provisioned'])).code === 0);
      const { ms, exitCode } = await service.stop();
      assert.equal(exitCode, 0);
      assert.ok(ms < 3000, `took ${ms} ms`);
    });

    await t.test('writes no password to its log', async () => {
      assert.doesNotMatch(await service.logs(), /pw-/);
    });
  });
}

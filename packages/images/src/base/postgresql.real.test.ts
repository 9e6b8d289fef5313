import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { docker, eventually, isReadyAnswer, loadImage, runContainer, type TestContainer, typeOf } from './testing/base-container.ts';

const versions = (process.env['COPPICE_TEST_VERSIONS'] ?? '15').split(',');

for (const version of versions) {
  const type = typeOf('postgresql', version);
  const admin = 'user\tapp\tpw-1\tmain=admin';
  const lines = ['schema\tmain', 'schema\tother-db', admin, 'user\treader\tpw-2\tmain=ro', 'user\twriter\tpw-3\tmain=rw,other-db=ro'];
  let image = '';
  let service: TestContainer;

  const sql = async (user: string, password: string, database: string, statement: string) => {
    const argv = ['psql', '-X', '-At', '-h', await service.address(), '-U', user, '-d', database, '-c', statement];
    const { code, stdout, stderr } = await service.exec(argv, '', { PGPASSWORD: password });
    return code === 0 ? stdout.trim() : `refused: ${stderr.trim()}`;
  };
  const ready = () => eventually('ready', async () => isReadyAnswer(type, await service.probe()));

  test(`postgresql ${version}`, async (t) => {
    const loaded = await loadImage(type);
    image = loaded.name;
    service = await runContainer(image, type);
    after(async () => {
      await service.remove();
      await docker(['rmi', '--force', image]);
    });

    await t.test('answers the probe with an error before it is provisioned', async () => {
      await service.start();
      await eventually('listens', async () => (await service.probe()).startsWith('E'));
      await eventually('has started', async () => (await service.probe()).includes('pg_hba'));
    });

    await t.test('is ready once provisioned, and provisioning again changes nothing', async () => {
      assert.deepEqual(await service.provision(lines), { code: 0, stdout: '', stderr: '' });
      await ready();
      assert.equal(await sql('app', 'pw-1', 'main', 'create table t as select 1 as n'), 'SELECT 1');
      assert.deepEqual(await service.provision(lines), { code: 0, stdout: '', stderr: '' });
      assert.equal(await sql('app', 'pw-1', 'main', 'select sum(n) from t'), '1');
    });

    await t.test('refuses a wrong password, an unknown user, and the superuser over TCP', async () => {
      assert.match(await sql('app', 'pw-2', 'main', 'select 1'), /password authentication failed/);
      assert.match(await sql('nobody', 'pw-1', 'main', 'select 1'), /password authentication failed/);
      assert.match(await sql('postgres', 'pw-1', 'postgres', 'select 1'), /pg_hba.conf rejects connection/);
      assert.match(await sql('app', 'pw-1', 'postgres', 'select 1'), /permission denied/);
    });

    await t.test('gives each user the rights of its privilege', async () => {
      assert.equal(await sql('reader', 'pw-2', 'main', 'select sum(n) from t'), '1');
      assert.match(await sql('reader', 'pw-2', 'main', 'insert into t values (2)'), /permission denied/);
      assert.match(await sql('reader', 'pw-2', 'other-db', 'select 1'), /permission denied/);
      assert.equal(await sql('writer', 'pw-3', 'main', 'insert into t values (2) returning n'), '2\nINSERT 0 1');
      assert.match(await sql('writer', 'pw-3', 'main', 'create table u ()'), /permission denied/);
      assert.match(await sql('app', 'pw-1', 'main', 'create role x superuser'), /(?:permission denied|must be superuser)/);
    });

    await t.test('lets an administrator of another relationship change what the first one made', async () => {
      await service.provision([...lines, 'user\tsecond\tpw-4\tmain=admin']);
      assert.equal(await sql('second', 'pw-4', 'main', 'alter table t add column m int'), 'ALTER TABLE');
    });

    await t.test('stores text in C.UTF-8 with checksums', async () => {
      const answer = await service.exec([
        'psql',
        '-X',
        '-At',
        '-c',
        'show data_checksums',
        '-c',
        "select datcollate from pg_database where datname = 'main'",
      ]);
      assert.equal(answer.stdout, 'on\nC.UTF-8\n');
    });

    await t.test('keeps data and takes new passwords over a stop and a start', async () => {
      const { ms, exitCode } = await service.stop();
      assert.equal(exitCode, 0);
      assert.ok(ms < type.stop.graceMs, `took ${ms} ms`);
      await service.start();
      assert.equal((await service.provision(['schema\tmain', 'user\tapp\tpw-new\tmain=admin'])).code, 0);
      await ready();
      assert.equal(await sql('app', 'pw-new', 'main', 'select sum(n) from t'), '3');
      assert.match(await sql('app', 'pw-1', 'main', 'select 1'), /password authentication failed/);
      assert.match(await sql('reader', 'pw-2', 'main', 'select 1'), /password authentication failed/);
    });

    await t.test('recovers what was acknowledged after it was killed', async () => {
      await sql('app', 'pw-new', 'main', 'insert into t values (4)');
      await docker(['kill', service.id]);
      await service.start();
      assert.equal((await service.provision([admin])).code, 0);
      await ready();
      assert.equal(await sql('app', 'pw-1', 'main', 'select sum(n) from t'), '7');
    });

    await t.test('starts on a copy of running data also where its lock file names a process that runs here', async () => {
      const lock = 'cp -a /usr/share/coppice/postgresql data/cluster; sleep 1000 & echo $! >data/cluster/postmaster.pid';
      const copy = await runContainer(image, type, { argv: ['sh', '-c', `${lock}; exec /usr/lib/coppice/postgresql-start`] });
      try {
        await copy.start();
        await eventually('listens', async () => (await copy.probe()).startsWith('E'));
      } finally {
        await copy.remove();
      }
    });

    await t.test('makes its data consistent before a snapshot', async () => {
      assert.equal((await service.exec(type.quiesce ?? [])).code, 0);
    });

    await t.test('reloads without complaints', async () => {
      assert.doesNotMatch(await service.logs(), /cannot be changed|contains errors/);
    });

    await t.test('writes no password to its log or process list', async () => {
      await service.provision(['user\tbad name:x\tpw-secret\tmain=admin', 'user\tpostgres\tpw-secret\tmain=admin']);
      assert.doesNotMatch(await service.logs(), /pw-/);
      assert.doesNotMatch((await docker(['top', service.id])).stdout, /pw-/);
    });
  });
}

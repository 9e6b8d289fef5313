import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import { openGround } from './ground-fixture.ts';
import { openVolumes } from './open-volumes.ts';
import { volumeRef, volumesContract } from './volumes.contract.ts';

const ground = openGround();
after(() => ground.remove());
const plain = join(ground.path, 'plain');
mkdirSync(plain);
const btrfs = ground.mountBtrfs('btrfs', 256 * 1024 * 1024);

for (const [name, base, driver] of [
  ['a plain folder', plain, /^(copy|reflink)$/],
  ['btrfs', btrfs, /^btrfs$/],
] as const) {
  const freshDirectory = (): string => join(mkdtempSync(join(base, 'd-')), 'volumes');
  const open = (directory: string, serverId = 's_1') => openVolumes({ directory, serverId });

  volumesContract(name, () => open(freshDirectory()));

  test(`${name}: the driver is the one that the file system allows`, async () => {
    assert.match((await open(freshDirectory())).driver.name, driver);
  });

  test(`${name}: a volume belongs to its user alone, and a file in it survives reopening`, async () => {
    const directory = freshDirectory();
    const path = await (await open(directory)).ensure(volumeRef('aa', 'db', 'a/b'), '4321:1234');
    const { uid, gid, mode } = lstatSync(path);
    assert.deepEqual(
      { path, uid, gid, mode: mode & 0o7777 },
      { path: join(directory, 'e_aa/data/db/a%2Fb'), uid: 4321, gid: 1234, mode: 0o700 },
    );
    writeFileSync(join(path, 'kept'), 'x');
    await (await open(directory)).ensure(volumeRef('aa', 'db', 'a/b'), '4321:1234');
    assert.equal(readFileSync(join(path, 'kept'), 'utf8'), 'x');
  });

  test(`${name}: what an application set on its folder is left alone`, async () => {
    const volumes = await open(freshDirectory());
    const path = await volumes.ensure(volumeRef('aa', 'db', 'data'), '1:1');
    chmodSync(path, 0o750);
    await volumes.ensure(volumeRef('aa', 'db', 'data'), '1:1');
    assert.equal(lstatSync(path).mode & 0o7777, 0o750);
  });

  test(`${name}: the marker beside the data says whose it is`, async () => {
    const directory = freshDirectory();
    await (await open(directory)).ensure(volumeRef('aa', 'db', 'data'), '1:1');
    assert.deepEqual(JSON.parse(readFileSync(join(directory, 'e_aa/owner.json'), 'utf8')), {
      v: 1,
      server: 's_1',
      environment: 'e_aa',
      generation: 0,
    });
  });

  test(`${name}: the set of another server, or of nobody, is neither listed nor used nor deleted`, async () => {
    const directory = freshDirectory();
    const ref = volumeRef('aa', 'db', 'data');
    const path = await (await open(directory, 's_other')).ensure(ref, '1:1');
    mkdirSync(join(directory, 'e_bb'));
    const volumes = await open(directory);
    const refused = (error: unknown): boolean => isCoppiceError(error, 'volume-failed');
    assert.deepEqual(await volumes.list(), new Map());
    for (const environment of [ref.environment, volumeRef('bb', 'x', 'x').environment]) {
      await assert.rejects(volumes.ensure({ ...ref, environment }, '1:1'), refused);
      await assert.rejects(volumes.removeSet(environment), refused);
    }
    assert.deepEqual([lstatSync(path).isDirectory(), readdirSync(directory).sort()], [true, ['e_aa', 'e_bb']]);
  });

  test(`${name}: a deletion that was cut off is finished when the server opens again, and another server's is not`, async () => {
    const directory = freshDirectory();
    const volumes = await open(directory);
    await volumes.ensure(volumeRef('aa', 'db', 'data'), '1:1');
    await (await open(directory, 's_other')).ensure(volumeRef('bb', 'db', 'data'), '1:1');
    renameSync(join(directory, 'e_aa'), join(directory, '.deleting-e_aa-1'));
    renameSync(join(directory, 'e_bb'), join(directory, '.deleting-e_bb-1'));
    mkdirSync(join(directory, '.making-e_cc-1'));
    await open(directory);
    assert.deepEqual(readdirSync(directory), ['.deleting-e_bb-1']);
  });

  test(`${name}: nothing is left of a set that was deleted, read-only files included`, async () => {
    const directory = freshDirectory();
    const volumes = await open(directory);
    const path = await volumes.ensure(volumeRef('aa', 'db', 'data'), '1:1');
    mkdirSync(join(path, 'closed'));
    writeFileSync(join(path, 'closed/file'), 'x', { mode: 0o400 });
    chmodSync(join(path, 'closed'), 0o500);
    await volumes.removeSet(volumeRef('aa', 'db', 'data').environment);
    assert.deepEqual(readdirSync(directory), []);
  });

  test(`${name}: usage counts the bytes on disk`, async () => {
    const volumes = await open(freshDirectory());
    const ref = volumeRef('aa', 'db', 'data');
    const path = await volumes.ensure(ref, '1:1');
    const before = await volumes.usage(ref.environment);
    writeFileSync(join(path, 'file'), Buffer.alloc(1024 * 1024, 1), { flush: true });
    const grown = (await volumes.usage(ref.environment)) - before;
    assert.ok(grown >= 1024 * 1024 && grown < 1.2 * 1024 * 1024, `${grown}`);
  });

  test(`${name}: a file that lies where a volume shall be is an error that names it`, async () => {
    const volumes = await open(freshDirectory());
    const path = await volumes.ensure(volumeRef('aa', 'db', 'data'), '1:1');
    writeFileSync(join(path, '../other'), '');
    await assert.rejects(volumes.ensure(volumeRef('aa', 'db', 'other'), '1:1'), /data\/db\/other is in the way/);
  });
}

test('btrfs: the data of a set is one subvolume', async () => {
  const directory = join(mkdtempSync(join(btrfs, 'd-')), 'volumes');
  await (await openVolumes({ directory, serverId: 's_1' })).ensure(volumeRef('aa', 'db', 'data'), '1:1');
  const shown = execFileSync('btrfs', ['subvolume', 'show', join(directory, 'e_aa/data')], { encoding: 'utf8' });
  assert.match(shown, /Name:\s+data\n/);
});

test('btrfs: subvolumes that an application made in its volume keep a set neither from being deleted nor a server from opening', async () => {
  const directory = join(mkdtempSync(join(btrfs, 'd-')), 'volumes');
  const volumes = await openVolumes({ directory, serverId: 's_1' });
  const subvolume = (...argv: string[]) => execFileSync('btrfs', ['subvolume', ...argv], { stdio: 'ignore' });
  for (const cutOff of [false, true]) {
    const path = await volumes.ensure(volumeRef('aa', 'db', 'data'), '1:1');
    mkdirSync(join(path, 'folder'));
    subvolume('create', join(path, 'folder/outer'));
    subvolume('create', join(path, 'folder/outer/inner\nID 5 gen 1'));
    writeFileSync(join(path, 'folder/outer/inner\nID 5 gen 1/file'), 'x');
    subvolume('snapshot', '-r', join(path, 'folder/outer'), join(path, 'read-only'));
    execFileSync('btrfs', ['property', 'set', '-t', 'subvol', join(path, 'folder/outer'), 'ro', 'true']);
    symlinkSync(ground.path, join(path, 'link'));
    if (cutOff) renameSync(join(directory, 'e_aa'), join(directory, '.deleting-e_aa-1'));
    if (cutOff) await openVolumes({ directory, serverId: 's_1' });
    else await volumes.removeSet(volumeRef('aa', 'db', 'data').environment);
    assert.deepEqual(readdirSync(directory), []);
  }
});

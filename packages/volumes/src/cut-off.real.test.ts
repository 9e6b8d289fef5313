import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { EnvironmentId } from '@coppice/model';
import { btrfsStorage } from './btrfs-storage.ts';
import { type Disk, hostDisk } from './disk.ts';
import { copyStorage } from './folder-storage.ts';
import { openGround } from './ground-fixture.ts';
import { environmentId, replacement, snapshotId } from './snapshot.contract.ts';
import { VolumeSets } from './volume-sets.ts';
import type { VolumeStorage } from './volume-storage.ts';
import { volumeRef } from './volumes.contract.ts';
import type { Volumes } from './volumes.ts';
import { volumesIn } from './volumes-in.ts';

const ground = openGround();
after(() => ground.remove());
const memory = ground.mountMemory('memory', 64 * 1024 * 1024);
const btrfs = ground.mountBtrfs('btrfs', 512 * 1024 * 1024);

/** Where the effects of an operation end. */
interface Cut {
  /** How many are done. */
  readonly after: number;
  /** The next one is done by half, where it has halves. */
  readonly half: boolean;
  /** A server that is killed does nothing after it; a failure of the file system may be the only one. */
  readonly by: 'kill' | 'failure';
}

/** A disk and a storage on which effects can be cut off. */
class InjuredDisk {
  readonly disk: Disk;
  readonly storage: VolumeStorage;
  /** Effects since the last cut was set, failed ones included. */
  count = 0;
  #cut: Cut | undefined;

  constructor(storage: VolumeStorage) {
    const fillByHalf = (path: string) => (): void => {
      mkdirSync(join(path, 'db'), { recursive: true });
      writeFileSync(join(path, 'db/half'), '');
    };
    const removed = (path: string) => (): void => rmSync(path, { recursive: true, force: true });
    this.disk = {
      makeFolder: (path) => this.#effect(() => hostDisk.makeFolder(path)),
      writeFile: (path, text) =>
        this.#effect(
          () => hostDisk.writeFile(path, text),
          () => writeFileSync(path, text.slice(0, text.length / 2)),
        ),
      rename: (from, to) => this.#effect(() => hostDisk.rename(from, to)),
      link: (path, target) => this.#effect(() => hostDisk.link(path, target)),
      unlink: (path) => this.#effect(() => hostDisk.unlink(path)),
      remove: (path) => this.#effect(() => hostDisk.remove(path), removed(join(path, 'owner.json'))),
      syncFolder: (path) => this.#effect(() => hostDisk.syncFolder(path)),
    };
    this.storage = {
      ...storage,
      create: (path) => this.#effect(() => storage.create(path)),
      clone: (paths) => this.#effect(() => storage.clone(paths), fillByHalf(paths.to)),
      delete: (path) => this.#effect(() => storage.delete(path), removed(join(path, 'db'))),
    };
  }

  cutAt(cut: Cut | undefined): void {
    this.#cut = cut;
    this.count = 0;
  }

  async #effect<Result>(work: () => Promise<Result>, half?: () => void): Promise<Result> {
    this.count += 1;
    const isFirst = this.#cut?.after === this.count - 1;
    const isCut = isFirst || (this.#cut?.by === 'kill' && this.count > this.#cut.after);
    if (!isCut) return work();
    if (this.#cut?.half && isFirst) half?.();
    throw new Error('cut off');
  }
}

async function open(directory: string, options: { readonly disk: Disk; readonly storage: VolumeStorage }): Promise<Volumes> {
  const sets = new VolumeSets({ directory, serverId: 's_1', ...options });
  await sets.sweep();
  return volumesIn(sets, options.storage.driver);
}

/** All that is there: each set and kept copy by its folder's name, with what it holds; and whatever else lies about. */
async function world(directory: string, volumes: Volumes): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const contentOf = (name: string): string => {
    const data = join(directory, name, 'data');
    const tell = (path: string): string =>
      statSync(join(data, path)).isFile() ? `${path}=${readFileSync(join(data, path), 'utf8')}` : path;
    return (readdirSync(data, { recursive: true }) as string[]).map(tell).sort().join(' ');
  };
  for (const environment of (await volumes.list()).keys()) {
    found.set(environment, `generation ${await volumes.generation(environment)}: ${contentOf(environment)}`);
  }
  // Not whose copy it is: of one that is about to be used up that may have been changed already.
  for (const { id } of await volumes.snapshots()) found.set(`.kept-${id}`, contentOf(`.kept-${id}`));
  for (const name of readdirSync(directory)) if (!found.has(name)) found.set(name, 'left over');
  return new Map([...found].sort(([left], [right]) => (left < right ? -1 : 1)));
}

interface Operation {
  readonly name: string;
  readonly run: (volumes: Volumes) => Promise<void>;
  /** An environment that has a set before and after it. */
  readonly holds?: EnvironmentId;
  /** One whose set may be there without any volume. */
  readonly mayBeEmpty?: EnvironmentId;
}

const [bb, cc, fresh] = [environmentId('bb'), environmentId('cc'), environmentId('new')];
const [aside, taken] = [snapshotId('aside'), /there is a kept copy b_new already/];
const operations: readonly Operation[] = [
  { name: 'a replacement by a copy that is kept', holds: bb, run: (volumes) => volumes.replace(replacement({ keep: true })) },
  { name: 'a replacement by a copy that is used up', holds: bb, run: (volumes) => volumes.replace(replacement()) },
  { name: 'a second replacement', holds: cc, run: (volumes) => volumes.replace(replacement({ environment: cc, generation: 2 })) },
  { name: 'a first set from a copy that is kept', run: (volumes) => volumes.replace(replacement({ environment: fresh, keep: true })) },
  { name: 'a first set from a copy that is used up', run: (volumes) => volumes.replace(replacement({ environment: fresh })) },
  { name: 'setting a set aside', run: (volumes) => volumes.setAside({ environment: bb, id: aside }) },
  { name: 'setting aside a set that was replaced', run: (volumes) => volumes.setAside({ environment: cc, id: aside }) },
  {
    name: 'keeping a copy',
    // One that was made before the cut-off is told as taken.
    run: (volumes) =>
      volumes.snapshot({ environment: bb, id: snapshotId('new') }).catch((error: Error) => {
        if (!taken.test(error.message)) throw error;
      }),
  },
  { name: 'moving a node', run: (volumes) => volumes.moveNode({ environment: bb, from: 'db', to: 'db~t_1' }) },
  { name: 'deleting a node', run: (volumes) => volumes.removeNode({ environment: bb, node: 'db' }) },
  { name: 'deleting a copy', run: (volumes) => volumes.removeSnapshot(snapshotId('from')) },
  { name: 'deleting a set', run: (volumes) => volumes.removeSet(bb) },
  { name: 'deleting a set that was replaced', run: (volumes) => volumes.removeSet(cc) },
  { name: 'making a set', mayBeEmpty: fresh, run: async (volumes) => void (await volumes.ensure(volumeRef('new', 'db', 'data'), '1:1')) },
];

/** `e_aa` and a copy of what it was; `e_bb` with data of its own; `e_cc`, which holds what `e_bb` was, and whose own is kept. */
async function prepare(base: string, storage: VolumeStorage): Promise<string> {
  const directory = mkdtempSync(join(base, 'd-'));
  const volumes = await open(directory, { storage, disk: hostDisk });
  const write = async (name: string, text: string): Promise<void> =>
    writeFileSync(join(await volumes.ensure(volumeRef(name, 'db', 'data'), '1:1'), 'file'), text);
  await write('aa', 'of aa');
  await volumes.snapshot({ environment: environmentId('aa'), id: snapshotId('from') });
  await write('aa', 'later');
  await write('bb', 'of bb');
  await volumes.snapshot({ environment: bb, id: snapshotId('earlier') });
  await write('cc', 'of cc');
  await volumes.replace(replacement({ environment: cc, from: snapshotId('earlier'), aside: snapshotId('old') }));
  return directory;
}

const onBtrfs = operations.filter(({ name }) => /replacement|setting a set aside|keeping/.test(name));
for (const [base, storage, tried] of [
  [memory, copyStorage, operations],
  [btrfs, btrfsStorage, onBtrfs],
] as const) {
  for (const { name, run, holds, mayBeEmpty } of tried) {
    test(`${storage.driver.name}: ${name}, cut off anywhere, leaves all as before or as after, and can be done again`, async () => {
      const prepared = async () => {
        const directory = await prepare(base, storage);
        const injured = new InjuredDisk(storage);
        const volumes = await open(directory, injured);
        // As a replacement leaves it whose last effect, to forget itself, failed.
        await hostDisk.link(join(directory, '.replacing-e_cc'), '.kept-b_old');
        return { directory, injured, volumes };
      };
      const reopened = async (directory: string) => world(directory, await open(directory, { storage, disk: hostDisk }));
      const first = await prepared();
      const before = await reopened(first.directory);
      first.injured.cutAt(undefined);
      await run(first.volumes);
      const effects = first.injured.count;
      const then = await reopened(first.directory);
      assert.notDeepEqual(then, before);
      for (const cut of cutsOf(effects).filter(({ half, by }) => storage !== btrfsStorage || (by === 'kill' && half))) {
        const { directory, injured, volumes } = await prepared();
        injured.cutAt(cut);
        await run(volumes).catch((error: Error) => assert.match(error.message, /cut off/));
        injured.cutAt(undefined);
        const where = JSON.stringify(cut);
        if (cut.by === 'kill') {
          const now = new Map(await reopened(directory));
          if (mayBeEmpty !== undefined && now.get(mayBeEmpty) === 'generation 0: ') now.delete(mayBeEmpty);
          assert.ok(isDeepStrictEqual(now, before) || isDeepStrictEqual(now, then), `${where}: ${JSON.stringify([...now], null, 1)}`);
        } else if (holds !== undefined) {
          await volumes.ensure({ ...volumeRef('', 'db', 'data'), environment: holds }, '1:1');
          const held = (await world(directory, volumes)).get(holds);
          assert.ok(held === before.get(holds) || held === then.get(holds), `${where}: ${held}`);
        }
        await run(cut.by === 'kill' ? await open(directory, { storage, disk: hostDisk }) : volumes);
        assert.deepEqual(await reopened(directory), then, where);
        for (const entry of readdirSync(directory)) await storage.delete(join(directory, entry, 'data'));
        rmSync(directory, { recursive: true });
      }
    });
  }
}

function cutsOf(effects: number): readonly Cut[] {
  return Array.from({ length: effects }, (_, after) => after).flatMap((after) => [
    { after, half: false, by: 'kill' as const },
    { after, half: true, by: 'kill' as const },
    { after, half: false, by: 'failure' as const },
  ]);
}

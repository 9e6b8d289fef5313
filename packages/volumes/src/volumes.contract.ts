import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EnvironmentId, isCoppiceError, type NodeName } from '@coppice/model';
import type { VolumeRef, Volumes } from './volumes.ts';

const owner = '1000:1000';

/** A volume of the environment `e_<name>`. */
export function volumeRef(environment: string, node: string, volume: string): VolumeRef {
  return { environment: `e_${environment}` as EnvironmentId, node: node as NodeName, volume };
}

/** What every implementation of Volumes must do. `open` gives a fresh one with nothing in it, and is called within a test. */
export function volumesContract(name: string, open: () => Promise<Volumes>): void {
  test(`${name}: a volume is made at first use, and found again at the same path`, async () => {
    const volumes = await open();
    const ref = volumeRef('aa', 'db', 'data');
    const path = await volumes.ensure(ref, owner);
    assert.deepEqual([path, path], [volumes.path(ref), await volumes.ensure(ref, owner)]);
    assert.deepEqual(await volumes.inspect(ref.environment), [{ node: 'db', volume: 'data' }]);
  });

  test(`${name}: asking for a path makes nothing`, async () => {
    const volumes = await open();
    volumes.path(volumeRef('aa', 'db', 'data'));
    assert.deepEqual(await volumes.list(), new Map());
  });

  test(`${name}: all sets are listed by environment, their volumes sorted`, async () => {
    const volumes = await open();
    await volumes.ensure(volumeRef('bb', 'web', 'uploads'), owner);
    await volumes.ensure(volumeRef('aa', 'web', 'uploads'), owner);
    await volumes.ensure(volumeRef('aa', 'web', 'cache'), owner);
    await volumes.ensure(volumeRef('aa', 'db', 'data'), owner);
    const expected = new Map([
      [
        'e_aa',
        [
          { node: 'db', volume: 'data' },
          { node: 'web', volume: 'cache' },
          { node: 'web', volume: 'uploads' },
        ],
      ],
      ['e_bb', [{ node: 'web', volume: 'uploads' }]],
    ]);
    assert.deepEqual(await volumes.list(), expected);
  });

  test(`${name}: twenty volumes of one environment can be made at once`, async () => {
    const volumes = await open();
    const refs = Array.from({ length: 20 }, (_, index) => volumeRef('aa', `node${String(index).padStart(2, '0')}`, 'data'));
    await Promise.all(refs.map((ref) => volumes.ensure(ref, owner)));
    assert.deepEqual(
      await volumes.inspect(volumeRef('aa', 'x', 'x').environment),
      refs.map(({ node, volume }) => ({ node, volume })),
    );
  });

  test(`${name}: names with slashes, dots, capitals and foreign letters are kept apart and come back as they were`, async () => {
    const volumes = await open();
    const names = ['%2F', '..', '.', '.hidden', '../../etc', '/etc', 'A', 'a', 'a%b', 'a.b', 'a/b', 'a//b', 'line\nbreak', 'über', '日本'];
    const paths = new Set<string>();
    for (const name of names) paths.add(await volumes.ensure(volumeRef('aa', 'web', name), owner));
    const parent = volumes.path(volumeRef('aa', 'web', 'x')).slice(0, -1);
    assert.equal(paths.size, names.length);
    assert.deepEqual(
      [...paths].filter((path) => !path.startsWith(parent) || path.slice(parent.length).includes('/')),
      [],
    );
    assert.deepEqual(
      (await volumes.inspect(volumeRef('aa', 'web', 'x').environment)).map(({ volume }) => volume),
      [...names].sort(),
    );
  });

  test(`${name}: what is no id, no name and no owner is refused, and makes nothing`, async () => {
    const volumes = await open();
    const refused: readonly (readonly [VolumeRef, string])[] = [
      [volumeRef('../bb', 'web', 'data'), owner],
      [volumeRef('', 'web', 'data'), owner],
      [{ ...volumeRef('aa', 'web', 'data'), environment: 'aa' as EnvironmentId }, owner],
      [volumeRef('aa', '..', 'data'), owner],
      [volumeRef('aa', 'a/b', 'data'), owner],
      [volumeRef('aa', '', 'data'), owner],
      [volumeRef('aa', 'web', ''), owner],
      [volumeRef('aa', 'web', '\ud800'), owner],
      [volumeRef('aa', 'web', 'x'.repeat(300)), owner],
      [volumeRef('aa', 'web', 'data'), 'root'],
      [volumeRef('aa', 'web', 'data'), '1000'],
      [volumeRef('aa', 'web', 'data'), '-1:0'],
    ];
    for (const [ref, user] of refused) {
      await assert.rejects(
        async () => volumes.ensure(ref, user),
        (error) => isCoppiceError(error, 'volume-failed'),
      );
    }
    assert.deepEqual(await volumes.list(), new Map());
    await assert.rejects(
      async () => volumes.removeSet('../..' as EnvironmentId),
      (error) => isCoppiceError(error, 'volume-failed'),
    );
  });

  test(`${name}: deleting a set leaves the others, and doing it again does nothing`, async () => {
    const volumes = await open();
    const gone = volumeRef('aa', 'db', 'data');
    const kept = volumeRef('bb', 'db', 'data');
    await volumes.ensure(gone, owner);
    await volumes.ensure(kept, owner);
    await volumes.removeSet(gone.environment);
    await volumes.removeSet(gone.environment);
    assert.deepEqual(await volumes.list(), new Map([[kept.environment, [{ node: 'db', volume: 'data' }]]]));
    assert.deepEqual(await volumes.inspect(gone.environment), []);
  });

  test(`${name}: a set that was deleted can be made again, empty`, async () => {
    const volumes = await open();
    await volumes.ensure(volumeRef('aa', 'db', 'data'), owner);
    await volumes.removeSet(volumeRef('aa', 'db', 'data').environment);
    await volumes.ensure(volumeRef('aa', 'db', 'other'), owner);
    assert.deepEqual(await volumes.inspect(volumeRef('aa', 'db', 'x').environment), [{ node: 'db', volume: 'other' }]);
  });

  test(`${name}: an environment without a set uses nothing`, async () => {
    const volumes = await open();
    const { environment } = volumeRef('aa', 'x', 'x');
    assert.deepEqual([await volumes.usage(environment), await volumes.volumeUsage(environment)], [0, []]);
    await volumes.ensure(volumeRef('aa', 'db', 'a/b'), owner);
    const [held, ...others] = await volumes.volumeUsage(environment);
    assert.deepEqual([held?.node, held?.volume, typeof held?.bytes, others], ['db', 'a/b', 'number', []]);
  });
}

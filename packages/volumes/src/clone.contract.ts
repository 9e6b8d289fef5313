import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EnvironmentId, type ErrorCode, isCoppiceError } from '@coppice/model';
import { volumeRef } from './volumes.contract.ts';
import type { Volumes } from './volumes.ts';

const owner = '1000:1000';
const id = (name: string): EnvironmentId => volumeRef(name, 'x', 'x').environment;
const failsWith = (code: ErrorCode) => (error: unknown) => isCoppiceError(error, code);

/** What every implementation of Volumes must do about `clone` and `sync`. `open` gives a fresh one, and is called within a test. */
export function cloneContract(name: string, open: () => Promise<Volumes>): void {
  test(`${name}: a copy has the volumes of its source, and what is made in one later is not in the other`, async () => {
    const volumes = await open();
    await volumes.ensure(volumeRef('aa', 'db', 'data'), owner);
    await volumes.ensure(volumeRef('aa', 'web', 'a/b'), owner);
    await volumes.clone({ from: id('aa'), to: id('bb') });
    await volumes.ensure(volumeRef('aa', 'late', 'data'), owner);
    await volumes.ensure(volumeRef('bb', 'own', 'data'), owner);
    const both = [
      { node: 'db', volume: 'data' },
      { node: 'web', volume: 'a/b' },
    ];
    assert.deepEqual(
      await volumes.list(),
      new Map([
        ['e_aa', [both[0], { node: 'late', volume: 'data' }, both[1]]],
        ['e_bb', [both[0], { node: 'own', volume: 'data' }, both[1]]],
      ]),
    );
  });

  test(`${name}: a volume of a copy is found at its own path`, async () => {
    const volumes = await open();
    await volumes.ensure(volumeRef('aa', 'db', 'data'), owner);
    await volumes.clone({ from: id('aa'), to: id('bb') });
    const ref = volumeRef('bb', 'db', 'data');
    assert.deepEqual(
      [await volumes.ensure(ref, owner), await volumes.inspect(id('bb'))],
      [volumes.path(ref), [{ node: 'db', volume: 'data' }]],
    );
  });

  test(`${name}: a copy of a copy outlives both it came from`, async () => {
    const volumes = await open();
    await volumes.ensure(volumeRef('aa', 'db', 'data'), owner);
    await volumes.clone({ from: id('aa'), to: id('bb') });
    await volumes.clone({ from: id('bb'), to: id('cc') });
    await volumes.removeSet(id('aa'));
    await volumes.removeSet(id('bb'));
    assert.deepEqual(await volumes.list(), new Map([['e_cc', [{ node: 'db', volume: 'data' }]]]));
  });

  test(`${name}: a set that exists is not copied over, nor is one over itself`, async () => {
    const volumes = await open();
    await volumes.ensure(volumeRef('aa', 'db', 'data'), owner);
    await volumes.ensure(volumeRef('bb', 'web', 'own'), owner);
    const before = await volumes.list();
    await assert.rejects(volumes.clone({ from: id('aa'), to: id('bb') }), failsWith('conflict'));
    await assert.rejects(volumes.clone({ from: id('aa'), to: id('aa') }), failsWith('conflict'));
    assert.deepEqual(await volumes.list(), before);
  });

  test(`${name}: there is no copy of a set that is not there, and nothing is made`, async () => {
    const volumes = await open();
    await assert.rejects(volumes.clone({ from: id('aa'), to: id('bb') }), failsWith('not-found'));
    assert.deepEqual(await volumes.list(), new Map());
  });

  test(`${name}: what is no id is neither copied nor copied to`, async () => {
    const volumes = await open();
    await volumes.ensure(volumeRef('aa', 'db', 'data'), owner);
    for (const pair of [
      { from: '../e_aa' as EnvironmentId, to: id('bb') },
      { from: id('aa'), to: '../e_bb' as EnvironmentId },
    ]) {
      await assert.rejects(async () => volumes.clone(pair), failsWith('volume-failed'));
    }
    assert.deepEqual([...(await volumes.list()).keys()], ['e_aa']);
  });

  test(`${name}: of two copies to one environment at once, one is made and the other refused`, async () => {
    const volumes = await open();
    await volumes.ensure(volumeRef('aa', 'db', 'data'), owner);
    const made = await Promise.allSettled([1, 2].map(() => volumes.clone({ from: id('aa'), to: id('bb') })));
    const refused = made.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    assert.deepEqual([refused.length, refused.every(failsWith('conflict'))], [1, true]);
    assert.deepEqual(await volumes.inspect(id('bb')), [{ node: 'db', volume: 'data' }]);
  });

  test(`${name}: five copies of one set can be made at once`, async () => {
    const volumes = await open();
    await volumes.ensure(volumeRef('aa', 'db', 'data'), owner);
    const names = ['bb', 'cc', 'dd', 'ee', 'ff'];
    await Promise.all(names.map((to) => volumes.clone({ from: id('aa'), to: id(to) })));
    const expected = ['aa', ...names].map((each) => [`e_${each}`, [{ node: 'db', volume: 'data' }]] as const);
    assert.deepEqual(await volumes.list(), new Map(expected));
  });

  test(`${name}: a copy that was deleted can be made again`, async () => {
    const volumes = await open();
    await volumes.ensure(volumeRef('aa', 'db', 'data'), owner);
    await volumes.clone({ from: id('aa'), to: id('bb') });
    await volumes.removeSet(id('bb'));
    await volumes.clone({ from: id('aa'), to: id('bb') });
    assert.deepEqual([...(await volumes.list()).keys()], ['e_aa', 'e_bb']);
  });

  test(`${name}: a set can be synced, and one that is not there cannot`, async () => {
    const volumes = await open();
    await volumes.ensure(volumeRef('aa', 'db', 'data'), owner);
    assert.equal(await volumes.sync(id('aa')), undefined);
    await assert.rejects(volumes.sync(id('bb')), failsWith('not-found'));
  });
}

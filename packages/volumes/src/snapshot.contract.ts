import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EnvironmentId, type ErrorCode, isCoppiceError, type NodeName, type SnapshotId } from '@coppice/model';
import { volumeRef } from './volumes.contract.ts';
import type { Replacement, Volumes } from './volumes.ts';

const owner = '1000:1000';
const failsWith = (code: ErrorCode) => (error: unknown) => isCoppiceError(error, code);
const dbOnly = [{ node: 'db', volume: 'data' }];
const webOnly = [{ node: 'web', volume: 'data' }];

/** The environment `e_<name>`. */
export function environmentId(name: string): EnvironmentId {
  return `e_${name}` as EnvironmentId;
}

/** The kept copy `b_<name>`. */
export function snapshotId(name: string): SnapshotId {
  return `b_${name}` as SnapshotId;
}

/** What `e_bb` shall hold: the copy `b_from`, used up, as generation 1, with what it held before under `b_aside`. */
export function replacement(changes: Partial<Replacement> = {}): Replacement {
  return { environment: environmentId('bb'), generation: 1, from: snapshotId('from'), keep: false, aside: snapshotId('aside'), ...changes };
}

/** What every implementation of Volumes must do about copies that are kept, and sets that are replaced. `open` gives a fresh one within a test. */
export function snapshotContract(name: string, open: () => Promise<Volumes>): void {
  /** A set of `e_aa` with a volume of `db`, kept as `b_from`; and a set of `e_bb` with one of `web`. */
  const openWithCopy = async (): Promise<Volumes> => {
    const volumes = await open();
    await volumes.ensure(volumeRef('aa', 'db', 'data'), owner);
    await volumes.snapshot({ environment: environmentId('aa'), id: snapshotId('from') });
    await volumes.ensure(volumeRef('bb', 'web', 'data'), owner);
    return volumes;
  };
  const generations = async (volumes: Volumes): Promise<readonly (number | undefined)[]> => [
    await volumes.generation(environmentId('aa')),
    await volumes.generation(environmentId('bb')),
  ];
  const keptIds = async (volumes: Volumes): Promise<readonly string[]> =>
    (await volumes.snapshots()).map(({ id, environment }) => `${id} of ${environment}`);

  test(`${name}: a set that was just made is of generation 0, and where there is none there is no generation`, async () => {
    assert.deepEqual(await generations(await open()), [undefined, undefined]);
    assert.deepEqual(await generations(await openWithCopy()), [0, 0]);
  });

  test(`${name}: a kept copy is no set, is listed by its id, and stays when its environment goes`, async () => {
    const volumes = await openWithCopy();
    await volumes.snapshot({ environment: environmentId('bb'), id: snapshotId('a') });
    await volumes.removeSet(environmentId('aa'));
    assert.deepEqual(await volumes.snapshots(), [
      { id: 'b_a', environment: 'e_bb' },
      { id: 'b_from', environment: 'e_aa' },
    ]);
    assert.deepEqual([...(await volumes.list()).keys()], ['e_bb']);
  });

  test(`${name}: there is no copy of a set that is not there, and nothing is made`, async () => {
    const volumes = await open();
    await assert.rejects(volumes.snapshot({ environment: environmentId('aa'), id: snapshotId('x') }), failsWith('not-found'));
    assert.deepEqual([await keptIds(volumes), await volumes.list()], [[], new Map()]);
  });

  test(`${name}: an id that is taken is not taken again, and what it holds stays`, async () => {
    const volumes = await openWithCopy();
    await assert.rejects(volumes.snapshot({ environment: environmentId('bb'), id: snapshotId('from') }), failsWith('conflict'));
    await volumes.replace(replacement());
    assert.deepEqual(await volumes.inspect(environmentId('bb')), dbOnly);
  });

  test(`${name}: of two copies under one id at once, one is made and the other refused`, async () => {
    const volumes = await openWithCopy();
    const copy = { environment: environmentId('bb'), id: snapshotId('x') };
    const made = await Promise.allSettled([1, 2].map(() => volumes.snapshot(copy)));
    const refused = made.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    assert.deepEqual([refused.length, refused.every(failsWith('conflict'))], [1, true]);
    assert.deepEqual(await keptIds(volumes), ['b_from of e_aa', 'b_x of e_bb']);
  });

  test(`${name}: five copies of one set can be kept at once, and five environments made of one of them`, async () => {
    const volumes = await openWithCopy();
    const names = ['v', 'w', 'x', 'y', 'z'];
    await Promise.all(names.map((each) => volumes.snapshot({ environment: environmentId('aa'), id: snapshotId(each) })));
    await Promise.all(
      names.map((each) => volumes.replace(replacement({ environment: environmentId(each), from: snapshotId('x'), keep: true }))),
    );
    assert.deepEqual(
      await keptIds(volumes),
      ['b_from', 'b_v', 'b_w', 'b_x', 'b_y', 'b_z'].map((id) => `${id} of e_aa`),
    );
    assert.deepEqual([...(await volumes.list()).keys()], ['e_aa', 'e_bb', 'e_v', 'e_w', 'e_x', 'e_y', 'e_z']);
    assert.deepEqual(await volumes.inspect(environmentId('z')), dbOnly);
  });

  test(`${name}: a kept copy that was removed is gone, and removing it again does nothing`, async () => {
    const volumes = await openWithCopy();
    await volumes.removeSnapshot(snapshotId('from'));
    await volumes.removeSnapshot(snapshotId('from'));
    assert.deepEqual(await keptIds(volumes), []);
    await volumes.snapshot({ environment: environmentId('bb'), id: snapshotId('from') });
    assert.deepEqual(await keptIds(volumes), ['b_from of e_bb']);
  });

  test(`${name}: a set is replaced by a copy that is used up, and what it was is kept aside`, async () => {
    const volumes = await openWithCopy();
    await volumes.replace(replacement());
    assert.deepEqual(await volumes.inspect(environmentId('bb')), dbOnly);
    assert.deepEqual([await generations(volumes), await keptIds(volumes)], [[0, 1], ['b_aside of e_bb']]);
    await volumes.replace(replacement({ generation: 2, from: snapshotId('aside'), aside: snapshotId('other') }));
    assert.deepEqual(await volumes.inspect(environmentId('bb')), webOnly);
    assert.deepEqual([await generations(volumes), await keptIds(volumes)], [[0, 2], ['b_other of e_bb']]);
  });

  test(`${name}: a set is replaced by a copy that is kept, and what is made in one later is not in the other`, async () => {
    const volumes = await openWithCopy();
    await volumes.replace(replacement({ keep: true }));
    await volumes.ensure(volumeRef('bb', 'late', 'data'), owner);
    assert.deepEqual(await keptIds(volumes), ['b_aside of e_bb', 'b_from of e_aa']);
    await volumes.replace(replacement({ generation: 2, aside: snapshotId('other') }));
    assert.deepEqual(await volumes.inspect(environmentId('bb')), dbOnly);
    await volumes.replace(replacement({ generation: 3, from: snapshotId('other'), aside: snapshotId('last') }));
    assert.deepEqual(await volumes.inspect(environmentId('bb')), [...dbOnly, { node: 'late', volume: 'data' }]);
  });

  test(`${name}: where there was no set, a copy becomes it and nothing is kept aside`, async () => {
    const volumes = await openWithCopy();
    for (const keep of [true, false]) await volumes.replace(replacement({ environment: environmentId(`new${keep}`), keep }));
    assert.deepEqual([await volumes.inspect(environmentId('newtrue')), await volumes.inspect(environmentId('newfalse'))], [dbOnly, dbOnly]);
    assert.deepEqual(await keptIds(volumes), []);
  });

  test(`${name}: a volume of a set that was replaced is found at the environment's own path`, async () => {
    const volumes = await openWithCopy();
    await volumes.replace(replacement());
    const ref = volumeRef('bb', 'db', 'data');
    assert.deepEqual([await volumes.ensure(ref, owner), await volumes.inspect(environmentId('bb'))], [volumes.path(ref), dbOnly]);
  });

  test(`${name}: a set of that generation already is not replaced again`, async () => {
    const volumes = await openWithCopy();
    await volumes.replace(replacement());
    await volumes.ensure(volumeRef('bb', 'late', 'data'), owner);
    await volumes.replace(replacement());
    await volumes.replace(replacement({ from: snapshotId('never'), keep: true, aside: snapshotId('other') }));
    assert.deepEqual(await keptIds(volumes), ['b_aside of e_bb']);
    assert.deepEqual((await volumes.inspect(environmentId('bb'))).length, 2);
  });

  test(`${name}: a set is not replaced by a copy that is gone, nor where the id for what it was is taken`, async () => {
    const volumes = await openWithCopy();
    await volumes.snapshot({ environment: environmentId('bb'), id: snapshotId('aside') });
    for (const keep of [true, false]) {
      await assert.rejects(
        volumes.replace(replacement({ from: snapshotId('gone'), aside: snapshotId('y'), keep })),
        failsWith('not-found'),
      );
      await assert.rejects(volumes.replace(replacement({ keep })), failsWith('conflict'));
    }
    assert.deepEqual(await volumes.inspect(environmentId('bb')), webOnly);
    assert.deepEqual(
      [await generations(volumes), await keptIds(volumes)],
      [
        [0, 0],
        ['b_aside of e_bb', 'b_from of e_aa'],
      ],
    );
  });

  test(`${name}: two environments that would use up one copy: one gets it`, async () => {
    const volumes = await openWithCopy();
    const made = await Promise.allSettled(['x', 'y'].map((each) => volumes.replace(replacement({ environment: environmentId(each) }))));
    const refused = made.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    assert.deepEqual([refused.length, refused.every(failsWith('not-found'))], [1, true]);
  });

  test(`${name}: a set can be looked at while it is replaced again and again`, async () => {
    const volumes = await openWithCopy();
    const { environment } = replacement();
    let isDone = false;
    const replacing = (async () => {
      for (let generation = 1; generation <= 10; generation += 1) {
        const [from, aside] = generation % 2 === 1 ? ['from', 'aside'] : ['aside', 'from'];
        await volumes.replace(replacement({ generation, from: snapshotId(from), aside: snapshotId(aside) }));
      }
      isDone = true;
    })();
    const seen = new Set<string>();
    while (!isDone) {
      await volumes.usage(environment);
      for (const held of [await volumes.inspect(environment), (await volumes.list()).get(environment) ?? []])
        seen.add(JSON.stringify(held));
    }
    await replacing;
    const expected = [[], dbOnly, webOnly].map((held) => JSON.stringify(held));
    assert.deepEqual(
      [...seen].filter((held) => !expected.includes(held)),
      [],
    );
  });

  test(`${name}: a set that is set aside is a kept copy, and the environment can begin anew`, async () => {
    const volumes = await openWithCopy();
    const change = { environment: environmentId('bb'), id: snapshotId('gone') };
    await volumes.setAside(change);
    await volumes.setAside(change);
    assert.deepEqual(
      [await generations(volumes), await keptIds(volumes)],
      [
        [0, undefined],
        ['b_from of e_aa', 'b_gone of e_bb'],
      ],
    );
    await volumes.ensure(volumeRef('bb', 'other', 'data'), owner);
    await assert.rejects(volumes.setAside(change), failsWith('conflict'));
    assert.deepEqual(await volumes.inspect(environmentId('bb')), [{ node: 'other', volume: 'data' }]);
    await volumes.replace(replacement({ from: snapshotId('gone') }));
    assert.deepEqual(await volumes.inspect(environmentId('bb')), webOnly);
  });

  test(`${name}: a set that is deleted and made anew is of generation 0`, async () => {
    const volumes = await openWithCopy();
    await volumes.replace(replacement());
    await volumes.removeSet(environmentId('bb'));
    await volumes.ensure(volumeRef('bb', 'web', 'data'), owner);
    assert.deepEqual([await generations(volumes), await keptIds(volumes)], [[0, 0], ['b_aside of e_bb']]);
  });

  test(`${name}: a node's folder is detached and attached again under another name, with all its volumes`, async () => {
    const volumes = await openWithCopy();
    await volumes.ensure(volumeRef('bb', 'web', 'more'), owner);
    await volumes.moveNode({ environment: environmentId('bb'), from: 'web', to: 'web~t_1' });
    const detached = [
      { node: 'web~t_1', volume: 'data' },
      { node: 'web~t_1', volume: 'more' },
    ];
    assert.deepEqual(await volumes.inspect(environmentId('bb')), detached);
    assert.deepEqual((await volumes.list()).get(environmentId('bb')), detached);
    await volumes.moveNode({ environment: environmentId('bb'), from: 'web~t_1', to: 'site' });
    assert.deepEqual(
      (await volumes.inspect(environmentId('bb'))).map(({ node, volume }) => `${node} ${volume}`),
      ['site data', 'site more'],
    );
  });

  test(`${name}: a node's folder is not moved from where there is none, nor over volumes`, async () => {
    const volumes = await openWithCopy();
    await volumes.ensure(volumeRef('bb', 'db', 'own'), owner);
    const before = await volumes.list();
    await volumes.moveNode({ environment: environmentId('bb'), from: 'web', to: 'db' });
    await volumes.moveNode({ environment: environmentId('bb'), from: 'web', to: 'web' });
    await volumes.moveNode({ environment: environmentId('bb'), from: 'nobody', to: 'new' });
    await volumes.moveNode({ environment: environmentId('none'), from: 'web', to: 'new' });
    assert.deepEqual(await volumes.list(), before);
  });

  test(`${name}: the folder of a node, detached or not, can be deleted, and doing it again does nothing`, async () => {
    const volumes = await openWithCopy();
    await volumes.ensure(volumeRef('bb', 'db', 'own'), owner);
    await volumes.moveNode({ environment: environmentId('bb'), from: 'web', to: 'web~t_1' });
    for (const node of ['web~t_1', 'web~t_1', 'nobody']) await volumes.removeNode({ environment: environmentId('bb'), node });
    assert.deepEqual(await volumes.inspect(environmentId('bb')), [{ node: 'db', volume: 'own' }]);
    await volumes.removeNode({ environment: environmentId('bb'), node: 'db' });
    await volumes.removeNode({ environment: environmentId('none'), node: 'db' });
    assert.deepEqual([await volumes.inspect(environmentId('bb')), await generations(volumes)], [[], [0, 0]]);
  });

  test(`${name}: what is no id, no name and no generation is refused, and changes nothing`, async () => {
    const volumes = await openWithCopy();
    const environment = environmentId('bb');
    const noId = '../b_x' as SnapshotId;
    const noEnvironment = '../e_bb' as EnvironmentId;
    const id = snapshotId('x');
    const refused: readonly (() => Promise<unknown>)[] = [
      () => volumes.snapshot({ environment, id: noId }),
      () => volumes.snapshot({ environment: noEnvironment, id }),
      () => volumes.snapshot({ environment, id: environment as string as SnapshotId }),
      () => volumes.removeSnapshot(noId),
      () => volumes.snapshotUsage(noId),
      () => volumes.setAside({ environment, id: noId }),
      () => volumes.setAside({ environment: noEnvironment, id }),
      () => volumes.generation(noEnvironment),
      () => volumes.replace(replacement({ from: noId })),
      () => volumes.replace(replacement({ aside: noId })),
      () => volumes.replace(replacement({ environment: noEnvironment })),
      ...[0, -1, 1.5, Number.NaN].map((generation) => () => volumes.replace(replacement({ generation }))),
      ...['..', '', 'a/b', '~x', 'web~', 'web~a~b', 'web~../x', 'Web'].flatMap((node) => [
        () => volumes.moveNode({ environment, from: 'web', to: node }),
        () => volumes.moveNode({ environment, from: node, to: 'web' }),
        () => volumes.removeNode({ environment, node }),
      ]),
      () => volumes.ensure({ environment, node: 'web~t_1' as NodeName, volume: 'data' }, owner),
    ];
    for (const call of refused) await assert.rejects(async () => call(), failsWith('volume-failed'));
    assert.deepEqual(await volumes.inspect(environment), webOnly);
    assert.deepEqual([await generations(volumes), await keptIds(volumes)], [[0, 0], ['b_from of e_aa']]);
  });

  test(`${name}: a kept copy that is not there uses nothing`, async () => {
    assert.equal(await (await open()).snapshotUsage(snapshotId('x')), 0);
  });

  test(`${name}: a set can be synced, and one that is not there cannot`, async () => {
    const volumes = await open();
    await volumes.ensure(volumeRef('aa', 'db', 'data'), owner);
    assert.equal(await volumes.sync(environmentId('aa')), undefined);
    await assert.rejects(volumes.sync(environmentId('bb')), failsWith('not-found'));
  });
}

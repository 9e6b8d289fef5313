import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '@coppice/model';
import { environment, generationSpec, jobSpec } from '../testing/specs.ts';
import { createSimulatedEngine, type SimulatedEngine } from './simulated-engine.ts';

const image = { manifest: sha256('m'), config: sha256('c') };
const owner = environment('e_1');

async function prepared(): Promise<SimulatedEngine> {
  const engine = createSimulatedEngine();
  await engine.ensureImage(image);
  await engine.ensureNetwork(owner);
  return engine;
}

test('a crash before an effect leaves the world as it was, one after it has done it', async () => {
  for (const [moment, containers] of [
    ['before', 0],
    ['after', 1],
  ] as const) {
    const engine = await prepared();
    engine.onEffect((effect, when) => {
      if (effect.kind === 'create-container' && when === moment) throw new Error('crash');
    });
    await assert.rejects(engine.startGeneration(generationSpec(image)), { message: 'crash' });
    engine.onEffect(() => undefined);
    const created = (await engine.inspect(owner)).generations.flatMap((generation) => generation.instances);
    assert.deepEqual(
      created.map((instance) => instance.state),
      Array(containers).fill('created'),
    );
    const { instances } = await engine.startGeneration(generationSpec(image));
    assert.deepEqual(
      instances.map((instance) => instance.state),
      ['running'],
    );
    assert.equal((await engine.inspect(owner)).generations[0]?.instances.length, 1);
  }
});

test('listings fail, are empty or stale as told', async () => {
  const engine = await prepared();
  engine.listings('stale');
  await engine.startGeneration(generationSpec(image));
  assert.deepEqual((await engine.inspect(owner)).generations, []);
  engine.listings('failing');
  await assert.rejects(engine.list(), { code: 'engine-failed' });
  engine.listings('empty');
  assert.deepEqual(await engine.list(), new Map());
  engine.listings('none');
  assert.equal((await engine.inspect(owner)).generations.length, 1);
  engine.reachable('down');
  await assert.rejects(engine.inspect(owner), { code: 'engine-unreachable' });
});

test('nodes become ready, crash and fail to start as told', async () => {
  const engine = await prepared();
  engine.behave('web', { readyAfterProbes: 2 });
  const [instance] = (await engine.startGeneration(generationSpec(image))).instances;
  const id = instance?.id ?? '';
  const command = { argv: ['probe'], timeoutMs: 1000 };
  assert.deepEqual([engine.probeInstance(id), (await engine.exec(id, command)).exitCode, engine.probeInstance(id)], [false, 1, true]);
  engine.crash(id, { exitCode: 137, outOfMemory: true });
  const [crashed] = (await engine.inspect(owner)).generations[0]?.instances ?? [];
  assert.deepEqual([crashed?.state, crashed?.exitCode, crashed?.outOfMemory], ['exited', 137, true]);
  engine.behave('web', { startFails: 'no such file' });
  await assert.rejects(engine.startGeneration(generationSpec(image, { digest: sha256('x') })), {
    message: 'web.0 cannot start: no such file',
  });
});

test('a job ends well unless told otherwise', async () => {
  const engine = await prepared();
  engine.behave('web', { readyAfterProbes: Infinity });
  assert.equal((await engine.waitJob(await engine.startJob(jobSpec(image)))).exitCode, 0);
  engine.behave('web other', { exits: { exitCode: 2 } });
  const other = jobSpec(image, { key: { ...jobSpec(image).key, hook: 'other' } });
  assert.equal((await engine.waitJob(await engine.startJob(other))).exitCode, 2);
});

test('a crash in the middle of freezing leaves a part of it frozen, and all can be thawed', async () => {
  const engine = await prepared();
  await engine.startGeneration(generationSpec(image, { instances: 2 }));
  engine.onEffect((effect, when) => {
    if (effect.kind === 'freeze-container' && when === 'after') throw new Error('crash');
  });
  await assert.rejects(engine.freeze(owner), { message: 'crash' });
  engine.onEffect(() => undefined);
  assert.deepEqual(
    engine.containers().map(({ frozen }) => frozen),
    [true, false],
  );
  assert.equal((await engine.inspect(owner)).frozen, true);
  await engine.thaw(owner);
  assert.equal((await engine.inspect(owner)).frozen, undefined);
});

test('the same calls give the same world', async () => {
  const run = async () => {
    const engine = await prepared();
    await engine.startGeneration(generationSpec(image, { instances: 3 }));
    await engine.startJob(jobSpec(image));
    return { listing: await engine.list(), effects: engine.effects };
  };
  assert.deepEqual(await run(), await run());
});

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { EnvironmentId, ImagePin, ObservedGeneration, ObservedInstance } from '@coppice/model';
import type { Engine, GenerationSpec, JobSpec, LogLine } from './engine.ts';
import { digest, environment, generationSpec, jobSpec, node } from './testing/specs.ts';

/** An engine under the contract, and how its programs are written. */
export interface EngineHarness {
  readonly engine: Engine;
  /** An image that can be made usable. */
  readonly image: ImagePin;
  /** An image that nobody else uses, and that stays whatever is removed: somebody else names it. */
  spareImage(): Promise<ImagePin>;
  /** A program that prints the lines on standard output and ends with the code, or goes on where there is none. */
  program(behaviour: { readonly prints?: readonly string[]; readonly exitCode?: number }): readonly string[];
  /** Removes all that the engine of this harness has made. */
  dispose(): Promise<void>;
}

/** What every implementation of the Engine port keeps. */
export function engineContract(name: string, create: () => Promise<EngineHarness>): void {
  describe(`engine contract: ${name}`, { concurrency: false }, () => {
    let harness: EngineHarness;
    let engine: Engine;
    let owner: EnvironmentId;
    let count = 0;

    const generation = (change: Partial<GenerationSpec> = {}): GenerationSpec =>
      generationSpec(harness.image, { environment: owner, argv: harness.program({}), ...change });
    const job = (change: Partial<JobSpec> = {}): JobSpec =>
      jobSpec(harness.image, { environment: owner, argv: harness.program({ exitCode: 0 }), ...change });

    const jobThatRuns = async (): Promise<JobSpec> => {
      const spec = job({ argv: harness.program({}) });
      await engine.startJob(spec);
      return spec;
    };

    before(async () => {
      harness = await create();
      engine = harness.engine;
      await engine.ensureImage(harness.image);
    });
    after(() => harness.dispose());
    beforeEach(async () => {
      count += 1;
      owner = environment(`e_contract${count}`);
      await engine.ensureNetwork(owner);
    });

    test('an environment that does not exist is empty, not an error', async () => {
      assert.deepEqual(await engine.inspect(environment('e_none')), { network: false, generations: [], jobs: [] });
    });

    test('a network has a subnet and a block of stable addresses, the same at every call, of its own', async () => {
      const first = await engine.ensureNetwork(owner);
      const [again, other] = await Promise.all([engine.ensureNetwork(owner), engine.ensureNetwork(environment(`${owner}x`))]);
      assert.deepEqual(again, first);
      assert.match(first.subnet, /^10\.2\d\d\.\d+\.0\/24$/);
      assert.match(first.addressBlock, /^10\.2\d\d\.\d+\.0\/24$/);
      assert.equal(new Set([first.subnet, first.addressBlock, other.subnet, other.addressBlock]).size, 4);
      await engine.removeNetwork(environment(`${owner}x`));
      assert.equal((await engine.inspect(environment(`${owner}x`))).network, false);
      await engine.removeNetwork(environment(`${owner}x`));
    });

    test('images that are there are told from those that are not', async () => {
      const missing: ImagePin = { manifest: digest('no manifest'), config: digest('no config') };
      assert.deepEqual(await engine.presentImages([harness.image, missing]), new Set([harness.image.config]));
      await engine.ensureImage(harness.image);
    });

    test('an image is let go of where it was chosen, nothing is made of it, and nobody asked for it since', async () => {
      const image = await harness.spareImage();
      const chosen = new Set([image.config]);
      const listed = async () => (await engine.ownImages()).images.find(({ config }) => config === image.config)?.used;
      assert.equal(await listed(), undefined);
      await engine.ensureImage(image);
      assert.equal(await listed(), false);

      await engine.startGeneration(generation({ image }));
      assert.equal(await listed(), true);
      assert.deepEqual(await engine.removeImages(await engine.ownImages(), chosen), new Set());
      await engine.stopGeneration(generation({ image }), generation().stop);

      const before = await engine.ownImages();
      await engine.ensureImage(image);
      assert.deepEqual(await engine.removeImages(before, chosen), new Set());
      const after = await engine.ownImages();
      assert.deepEqual(await engine.removeImages(after, new Set()), new Set());
      assert.equal(await listed(), false);
      assert.deepEqual(await engine.removeImages(after, chosen), chosen);
      assert.equal(await listed(), undefined);

      await engine.ensureImage(image);
      assert.equal(await listed(), false);
      const [gone] = await Promise.all([engine.removeImages(await engine.ownImages(), chosen), engine.ensureImage(image)]);
      assert.deepEqual(gone, new Set());
      assert.equal(await listed(), false);
    });

    test('a started generation is listed as it was asked for', async () => {
      const started = await engine.startGeneration(generation({ instances: 2 }));
      assert.deepEqual(withoutIdentity(started), {
        node: 'web',
        digest: digest('one'),
        deployment: 'd_1',
        instances: [0, 1].map((index) => ({
          index,
          state: 'running',
          outOfMemory: false,
          cpu: 0,
          memoryBytes: 64 * 1024 * 1024,
          readiness: 'unknown',
        })),
      });
      const subnet = (await engine.ensureNetwork(owner)).subnet.replace('0/24', '');
      for (const { address, startedAt } of started.instances) {
        assert.ok(address?.startsWith(subnet));
        assert.ok(!Number.isNaN(Date.parse(startedAt ?? '')));
      }
      const listing = await engine.inspect(owner);
      assert.deepEqual(listing, { network: true, generations: [started], jobs: [] });
      assert.deepEqual((await engine.list()).get(owner), listing);
    });

    test('starting again changes nothing, and starts what is missing', async () => {
      const spec = generation({ instances: 2 });
      const first = await engine.startGeneration(spec);
      assert.deepEqual(await engine.startGeneration(spec), first);
      const [one, two] = first.instances;
      assert.ok(one !== undefined && two !== undefined);
      await engine.removeInstances(owner, [one.id], spec.stop);
      const again = await engine.startGeneration(spec);
      assert.deepEqual([again.instances[1], again.instances[0]?.index], [two, 0]);
      assert.notEqual(again.instances[0]?.id, one.id);
    });

    test('two generations of a node stand side by side, and one is stopped without the other', async () => {
      const [old, next] = [generation(), generation({ digest: digest('two') })];
      await engine.startGeneration(old);
      const kept = await engine.startGeneration(next);
      assert.deepEqual(await engine.inspectGeneration(next), kept);
      await engine.stopGeneration(old, old.stop);
      await engine.stopGeneration(old, old.stop);
      assert.deepEqual((await engine.inspect(owner)).generations, [kept]);
      assert.equal(await engine.inspectGeneration(old), undefined);
    });

    test('the members of a network are those that a look at each of them shows', async () => {
      const none = environment('e_none');
      assert.deepEqual(await engine.members(none), { network: false, generations: [], jobs: [] });
      await engine.startGeneration(generation({ instances: 2 }));
      await engine.startGeneration(generation({ digest: digest('two'), argv: harness.program({ exitCode: 7 }) }));
      await engine.waitJob(await engine.startJob(job()));
      await engine.startJob(job({ key: { ...job().key, hook: 'other' }, argv: harness.program({}) }));
      const { generations, jobs } = await until(
        () => engine.inspect(owner),
        (listing) => listing.generations.some(({ instances }) => instances.some(({ state }) => state === 'exited')),
      );
      assert.deepEqual([generations.length, jobs.length], [2, 2]);
      assert.deepEqual(await engine.members(owner), {
        network: true,
        generations: generations.map((each) => ({
          ...each,
          instances: each.instances.map(({ id, index, state, address }) => ({ id, index, state, address })),
        })),
        jobs: jobs.map(({ exitCode: _, outOfMemory: __, ...listed }) => listed),
      });
    });

    test('memory and CPU change in place', async () => {
      const before = await engine.startGeneration(generation());
      await engine.resizeGeneration(generation(), { cpu: 0.25, memoryBytes: 96 * 1024 * 1024 });
      const [small] = (await engine.inspect(owner)).generations;
      assert.deepEqual(sizes(small?.instances), [{ id: before.instances[0]?.id, cpu: 0.25, memoryBytes: 96 * 1024 * 1024 }]);
      await engine.resizeGeneration(generation(), { cpu: 0, memoryBytes: 32 * 1024 * 1024 });
      const [large] = (await engine.inspect(owner)).generations;
      assert.deepEqual(sizes(large?.instances), [{ id: before.instances[0]?.id, cpu: 0, memoryBytes: 32 * 1024 * 1024 }]);
    });

    test('an instance that ends is exited with its code and output, and is replaced by the next start', async () => {
      const spec = generation({ argv: harness.program({ prints: ['one', 'two'], exitCode: 7 }) });
      const [started] = (await engine.startGeneration(spec)).instances;
      const exited = await until(
        async () => (await engine.inspect(owner)).generations[0]?.instances[0],
        (instance) => instance?.state === 'exited',
      );
      assert.deepEqual([exited?.id, exited?.exitCode, exited?.address, exited?.outOfMemory], [started?.id, 7, undefined, false]);
      const lines = await collect(engine.logs(exited?.id ?? '', {}));
      assert.deepEqual(
        lines.map((line) => [line.stream, line.text]),
        [
          ['stdout', 'one'],
          ['stdout', 'two'],
        ],
      );
      const last = await collect(engine.logs(exited?.id ?? '', { tail: 1 }));
      assert.deepEqual(last, lines.slice(1));
      const [next] = (await engine.startGeneration(spec)).instances;
      assert.notEqual(next?.id, started?.id);
      assert.equal((await engine.inspect(owner)).generations[0]?.instances.length, 1);
    });

    test('a job runs once: the same key answers the one that ended', async () => {
      const spec = job({ argv: harness.program({ prints: ['migrated'], exitCode: 3 }) });
      const started = await engine.startJob(spec);
      const ended = await engine.waitJob(started);
      const { id, ...rest } = ended;
      assert.deepEqual(rest, { ...spec.key, state: 'exited', address: undefined, exitCode: 3, outOfMemory: false });
      assert.equal(id, started.id);
      assert.deepEqual(await engine.startJob(spec), ended);
      assert.deepEqual((await engine.inspect(owner)).jobs, [ended]);
      assert.deepEqual(
        (await collect(engine.logs(id, {}))).map((line) => line.text),
        ['migrated'],
      );
      await engine.removeJob(owner, spec.key);
      await engine.removeJob(owner, spec.key);
      assert.deepEqual((await engine.inspect(owner)).jobs, []);
    });

    test('a job that runs is adopted, and waiting for it can be called off', async () => {
      const spec = job({ argv: harness.program({}) });
      const started = await engine.startJob(spec);
      assert.equal((await engine.startJob(spec)).id, started.id);
      const called = new AbortController();
      const waiting = assert.rejects(engine.waitJob(started, called.signal), { code: 'cancelled' });
      called.abort();
      await waiting;
      await engine.removeJob(owner, spec.key);
      assert.deepEqual((await engine.inspect(owner)).jobs, []);
    });

    test('instances of another environment are not removed by id', async () => {
      const [instance] = (await engine.startGeneration(generation())).instances;
      const stop = generation().stop;
      await assert.rejects(engine.removeInstances(environment('e_else'), [instance?.id ?? ''], stop), { code: 'not-allowed' });
      assert.equal((await engine.inspect(owner)).generations[0]?.instances[0]?.state, 'running');
    });

    test('a policy may be swapped as often as one likes', async () => {
      const { addressBlock } = await engine.ensureNetwork(owner);
      const started = await engine.startGeneration(generation());
      const address = addressBlock.replace('.0/24', '.7');
      const serving = started.instances.map((instance) => instance.address ?? '');
      for (const now of [[], serving, serving]) {
        await engine.applyPolicy(owner, {
          nodes: [{ node: node('web'), address, instances: serving, serving: now, egress: 'none' }],
          edges: [{ from: node('web'), to: node('web'), port: 80 }],
        });
      }
    });

    test('what is frozen runs and answers nothing until it is thawed, and is listed as running', async () => {
      const command = { argv: ['/bin/true'], timeoutMs: 10_000 };
      const spec = generation({ instances: 2 });
      const started = await engine.startGeneration(spec);
      const running = await engine.startJob(job({ argv: harness.program({}) }));
      const before = await engine.inspect(owner);
      assert.deepEqual(before, { network: true, generations: [started], jobs: [running] });
      const ids = [...started.instances, running].map(({ id }) => id);
      for (const _ of ['once', 'twice']) await engine.freeze(owner);
      assert.deepEqual(await engine.inspect(owner), { ...before, frozen: true });
      assert.equal((await engine.list()).get(owner)?.frozen, true);
      for (const id of ids) await assert.rejects(engine.exec(id, command), { code: 'engine-failed' });
      assert.deepEqual(await engine.startGeneration(spec), started);
      for (const _ of ['once', 'twice']) await engine.thaw(owner);
      assert.deepEqual(await engine.inspect(owner), before);
      for (const id of ids) assert.equal((await engine.exec(id, command)).exitCode, 0);
    });

    test('where nothing runs there is nothing to freeze, and the neighbours are not frozen', async () => {
      const other = environment(`${owner}y`);
      await engine.ensureNetwork(other);
      await engine.startGeneration(generation({ environment: other }));
      const ended = generation({ argv: harness.program({ exitCode: 0 }) });
      await engine.startGeneration(ended);
      await until(
        async () => (await engine.inspect(owner)).generations[0]?.instances[0]?.state,
        (state) => state === 'exited',
      );
      for (const nothing of [owner, environment('e_none')]) {
        await engine.freeze(nothing);
        assert.equal((await engine.inspect(nothing)).frozen, undefined);
        await engine.thaw(nothing);
      }
      await engine.freeze(owner);
      assert.equal((await engine.inspect(other)).frozen, undefined);
      await engine.thaw(owner);
      await engine.stopGeneration(generation({ environment: other }), ended.stop);
      await engine.removeNetwork(other);
    });

    test('what is frozen can be read, stopped and removed', async () => {
      const [web, worker] = [generation({ argv: harness.program({ prints: ['one'] }) }), generation({ node: node('worker') })];
      const [speaking] = (await engine.startGeneration(web)).instances;
      const [silent] = (await engine.startGeneration(worker)).instances;
      const { key } = await jobThatRuns();
      await until(
        async () => await collect(engine.logs(speaking?.id ?? '', {})),
        (lines) => lines.length === 1,
      );
      await engine.freeze(owner);
      assert.deepEqual(
        (await collect(engine.logs(speaking?.id ?? '', {}))).map(({ text }) => text),
        ['one'],
      );
      const [stop, begin] = [{ signal: 'SIGTERM', graceMs: 20_000 }, performance.now()];
      await engine.stopGeneration(web, stop);
      await engine.removeJob(owner, key);
      assert.equal((await engine.inspect(owner)).frozen, true);
      await engine.removeInstances(owner, [silent?.id ?? ''], stop);
      assert.ok(performance.now() - begin < stop.graceMs, 'the signal did not reach it');
      assert.deepEqual(await engine.inspect(owner), { network: true, generations: [], jobs: [] });
      await engine.thaw(owner);
    });

    test('what ends or starts while all is frozen is neither an error nor left behind', async () => {
      const [first, second] = [generation(), generation({ digest: digest('two') })];
      await engine.startGeneration(first);
      await Promise.all([engine.freeze(owner), engine.stopGeneration(first, first.stop), engine.startGeneration(second)]);
      await engine.freeze(owner);
      assert.equal((await engine.inspect(owner)).frozen, true);
      await engine.stopGeneration(second, second.stop);
      await engine.thaw(owner);
      const third = generation({ digest: digest('three') });
      const started = await engine.startGeneration(third);
      assert.deepEqual(await engine.inspect(owner), { network: true, generations: [started], jobs: [] });
    });

    test('a change is hinted with its environment', async () => {
      const stop = new AbortController();
      const hints = engine.hints(stop.signal)[Symbol.asyncIterator]();
      const hint = hints.next();
      const starts = setInterval(
        () => void engine.startGeneration(generation({ argv: harness.program({ exitCode: 0 }) })).catch(() => undefined),
        300,
      );
      try {
        assert.deepEqual(await hint, { done: false, value: owner });
      } finally {
        clearInterval(starts);
        stop.abort();
      }
    });

    test('a network with instances is not removed', async () => {
      await engine.startGeneration(generation());
      await assert.rejects(engine.removeNetwork(owner), { code: 'engine-failed' });
      await engine.stopGeneration(generation(), generation().stop);
      await engine.removeNetwork(owner);
      assert.deepEqual(await engine.inspect(owner), { network: false, generations: [], jobs: [] });
    });
  });
}

function withoutIdentity(generation: ObservedGeneration): unknown {
  const instances = generation.instances.map(({ id: _, address: __, startedAt: ___, exitCode: ____, ...rest }) => rest);
  return { ...generation, instances };
}

function sizes(instances: readonly ObservedInstance[] = []): unknown {
  return instances.map(({ id, cpu, memoryBytes }) => ({ id, cpu, memoryBytes }));
}

async function collect(lines: AsyncIterable<LogLine>): Promise<LogLine[]> {
  const all: LogLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

async function until<Value>(look: () => Promise<Value>, done: (value: Value) => boolean): Promise<Value> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const value = await look();
    if (done(value)) return value;
    if (performance.now() > deadline) assert.fail(`did not come true: ${JSON.stringify(value)}`);
  }
}

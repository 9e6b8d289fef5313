import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson, type EnvironmentSpec, type NodeName, nodeDigest, type SnapshotId } from '@coppice/model';
import fc from 'fast-check';
import { keptMounts } from './data-change.ts';
import { makePlan } from './make-plan.ts';
import type { ModelVolume } from './model-data.ts';
import { type ModelStart, ModelWorld } from './model-world.ts';
import type { PlanInput } from './plan-input.ts';
import type { Plan, Step } from './plan-value.ts';
import { type Scenario, scenario, startOf } from './random-scenario-fixture.ts';
import { wantedInstances } from './wanted-instances.ts';

const numRuns = 600;

interface Beginning {
  readonly world: ModelWorld;
  readonly start: ReturnType<typeof startOf>;
}

function begin(value: Scenario, overrides: Parameters<typeof startOf>[1] = {}): Beginning {
  const start = startOf(value, overrides);
  return { world: new ModelWorld(start), start };
}

type Around = Pick<ModelStart, 'previous' | 'sanitizer' | 'resting'> & Pick<PlanInput, 'copiesHeld'>;

function inputOf(world: ModelWorld, { previous, sanitizer, resting, copiesHeld }: Around): PlanInput {
  const { desired, jobs } = world;
  return { desired, observed: world.observe(), previous, jobs, routes: world.wantedRoutes(), sanitizer, resting, copiesHeld };
}

function planOf(world: ModelWorld, start: Around): Plan {
  return makePlan(inputOf(world, start));
}

/** Runs up to `limit` steps, each time any of those that are free. */
function run(
  world: ModelWorld,
  plan: Plan,
  { order, limit = Number.POSITIVE_INFINITY }: { readonly order: readonly number[]; readonly limit?: number },
): void {
  const done = new Set<string>();
  let left: readonly Step[] = plan.steps;
  for (let turn = 0; left.length > 0 && turn < limit; turn += 1) {
    const free = left.filter((step) => step.after.every((id) => done.has(id)));
    const step = free[(order[turn % order.length] ?? 0) % free.length];
    if (!step) throw new Error('no step is free');
    world.apply(step);
    done.add(step.id);
    left = left.filter((other) => other !== step);
  }
}

function shuffled(input: PlanInput): PlanInput {
  const { spec } = input.desired;
  const { observed } = input;
  return {
    ...input,
    desired: { ...input.desired, spec: spec && { ...spec, nodes: [...spec.nodes].reverse() } },
    previous: input.previous && { ...input.previous, nodes: [...input.previous.nodes].reverse() },
    jobs: [...input.jobs].reverse(),
    observed: {
      ...observed,
      generations: [...observed.generations]
        .reverse()
        .map((generation) => ({ ...generation, instances: [...generation.instances].reverse() })),
      volumes: [...observed.volumes].reverse(),
    },
  };
}

function assertDesired(world: ModelWorld, spec: EnvironmentSpec): void {
  const { generations, network } = world.observe();
  const there = generations.map(({ node, digest, instances }) => ({
    node,
    digest,
    ready: instances.filter(({ readiness }) => readiness === 'ready').length,
  }));
  const byNode = (a: { readonly node: string }, b: { readonly node: string }): number => (a.node < b.node ? -1 : 1);
  const wanted = spec.nodes.map((node) => ({ node: node.name, digest: nodeDigest(node), ready: wantedInstances(node) }));
  assert.deepEqual({ network, there: there.sort(byNode) }, { network: true, there: wanted });
}

function assertNothingLeft({ world, start }: Beginning): void {
  assert.deepEqual(planOf(world, start).steps, [], 'before it is noted as served');
  assert.deepEqual(planOf(world, { ...start, previous: start.spec }).steps, [], 'afterwards');
}

/** The volumes of the set that the world began with, or was given, are where they shall be, and nothing that was ever there is lost. */
function assertData({ world, start }: Beginning, all: ReadonlySet<string>): void {
  const { dataSource, dataGeneration, volumeMoves = [] } = start.desired;
  const before = new ModelWorld(start).data;
  if (dataSource && before.generation !== dataGeneration) {
    const old = before.volumes;
    before.replace({ ...dataSource, generation: dataGeneration });
    assert.equal(world.data.generation, dataGeneration);
    const aside = world.data.kept(dataSource.aside);
    assert.deepEqual(aside, before.kept(dataSource.aside));
    assert.ok(old.length === 0 || aside !== undefined, 'what was there is kept');
  }
  before.move(volumeMoves);
  const present = new Set(world.data.volumes.map(told));
  for (const volume of before.volumes) assert.ok(present.has(told(volume)), `${told(volume)} is not there`);
  const left = world.data.contents();
  for (const content of all) assert.ok(left.has(content), `${content} is lost`);
}

function told({ node, volume, content }: ModelVolume): string {
  return `${node}/${volume} with ${content}`;
}

test('any plan, run in any order its edges allow, reaches what is desired and leaves nothing to plan', () => {
  fc.assert(
    fc.property(scenario, (value) => {
      const beginning = begin(value);
      const { world, start } = beginning;
      const all = world.data.contents();
      run(world, planOf(world, start), value);
      assertDesired(world, start.spec);
      assertData(beginning, all);
      assertNothingLeft(beginning);
    }),
    { numRuns },
  );
});

test('a plan that is cut off anywhere is finished by the next one', () => {
  fc.assert(
    fc.property(scenario, (value) => {
      const beginning = begin(value);
      const { world, start } = beginning;
      const all = world.data.contents();
      run(world, planOf(world, start), { order: value.order, limit: value.crashAfter });
      run(world, planOf(world, start), value);
      assertDesired(world, start.spec);
      assertData(beginning, all);
      assertNothingLeft(beginning);
    }),
    { numRuns },
  );
});

test('where only the data becomes another, nodes that mount none of it are not touched', () => {
  fc.assert(
    fc.property(scenario, (value) => {
      const before = value.before ?? value.after;
      const { world, start } = begin({ ...value, before, after: before, mishaps: value.mishaps.map(() => 'none'), network: true });
      const plan = planOf(world, start);
      const untouched = start.spec.nodes.filter((node) => keptMounts(node).length === 0).map(({ name }) => name);
      const sanitizing = plan.steps.filter((step) => 'node' in step && untouched.includes(step.node));
      assert.deepEqual(
        plan.changes.filter(({ node, action }) => untouched.includes(node) && action !== 'keep'),
        [],
      );
      assert.ok(sanitizing.every((step) => step.kind === 'run-job' && step.hook === 'sanitize'));
    }),
    { numRuns },
  );
});

test('a suspended environment gets its data while nothing runs, runs nothing for it, and sanitises once it is awake', () => {
  fc.assert(
    fc.property(scenario, fc.nat(20), (value, cut) => {
      const beginning = begin(value, { run: 'suspended' });
      const { world, start } = beginning;
      const all = world.data.contents();
      run(world, planOf(world, start), { order: value.order, limit: cut });
      run(world, planOf(world, start), value);
      assert.deepEqual(world.observe().generations, []);
      assert.deepEqual(world.jobs, []);
      assertData(beginning, all);
      assertNothingLeft(beginning);
    }),
    { numRuns },
  );
});

test('a deleted environment leaves nothing but the data that is to be kept', () => {
  fc.assert(
    fc.property(scenario, fc.boolean(), fc.nat(20), (value, isKept, cut) => {
      const { world, start } = begin(value, { exists: false, ...(isKept ? { keepData: 'b_kept' as SnapshotId } : {}) });
      const before = world.data.volumes;
      run(world, planOf(world, start), { order: value.order, limit: cut });
      run(world, planOf(world, start), value);
      const { network, generations, volumes, dataGeneration } = world.observe();
      assert.deepEqual(
        { network, generations, volumes, dataGeneration },
        { network: false, generations: [], volumes: [], dataGeneration: undefined },
      );
      assert.deepEqual(world.data.kept('b_kept' as SnapshotId), isKept && before.length > 0 ? before : undefined);
      assert.deepEqual(planOf(world, start).steps, []);
    }),
    { numRuns },
  );
});

test('while nodes rest that crashed, nothing is done that has to wait for them', () => {
  fc.assert(
    fc.property(scenario, fc.array(fc.nat(6), { minLength: 1, maxLength: 4 }), (value, rest) => {
      const resting = new Set(rest.map((index) => `n${index}` as NodeName));
      const start = { ...startOf(value), resting };
      const world = new ModelWorld(start);
      run(world, planOf(world, start), value);
      assert.deepEqual(
        planOf(world, start).steps.filter((step) => step.kind === 'switch-data' || step.kind === 'move-volumes'),
        [],
      );
      run(world, planOf(world, { ...start, resting: new Set() }), value);
      assertDesired(world, start.spec);
    }),
    { numRuns },
  );
});

test('where the data is copied, nothing that could change it starts before, and requests go on after it', () => {
  let copies = 0;
  fc.assert(
    fc.property(scenario, (value) => {
      const { world, start } = begin({ ...value, copiesHeld: true });
      const { steps } = planOf(world, start);
      const copy = steps.find(({ kind }) => kind === 'copy-data');
      if (!copy) return;
      copies += 1;
      const later = stepsAfter(copy, steps);
      const mustWait = steps.filter(({ kind }) => kind === 'start' || kind === 'run-job' || kind === 'switch-routes');
      for (const step of mustWait) assert.ok(later.has(step.id), `${step.id} does not wait for ${copy.id}`);
      assert.deepEqual(
        planOf(world, { ...start, copiesHeld: false }).steps.filter(({ kind }) => kind === 'copy-data'),
        [],
      );
    }),
    { numRuns },
  );
  assert.ok(copies > 20, `${copies} plans copy data`);
});

/** Ids of the steps that wait for one, through any number of others. */
function stepsAfter(of: Step, steps: readonly Step[]): ReadonlySet<string> {
  const found = new Set([of.id]);
  for (const { id, after } of steps) if (after.some((other) => found.has(other))) found.add(id);
  return found;
}

test('steps are in topological order, with unique ids, and wait only for steps of the plan', () => {
  fc.assert(
    fc.property(scenario, (value) => {
      const { world, start } = begin(value);
      const seen = new Set<string>();
      for (const step of planOf(world, start).steps) {
        assert.ok(!seen.has(step.id), `${step.id} twice`);
        for (const id of step.after) assert.ok(seen.has(id), `${step.id} waits for ${id}`);
        seen.add(step.id);
      }
    }),
    { numRuns: 300 },
  );
});

test('the order in which things are listed does not change a byte of the plan', () => {
  fc.assert(
    fc.property(scenario, (value) => {
      const { world, start } = begin(value);
      const input = inputOf(world, start);
      assert.equal(canonicalJson(makePlan(shuffled(input))), canonicalJson(makePlan(input)));
    }),
    { numRuns: 300 },
  );
});

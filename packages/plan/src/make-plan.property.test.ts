import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  canonicalJson,
  type EnvironmentSpec,
  type NodeSpec,
  nodeDigest,
  type ObservedEnvironment,
  type ObservedInstance,
} from '@coppice/model';
import {
  buildNode,
  buildSpec,
  deploymentId,
  mountAt,
  observedGeneration,
  observedWorld,
  relatedTo,
  routeTo,
} from '@coppice/model/builders';
import fc from 'fast-check';
import { makePlan } from './make-plan.ts';
import { ModelWorld } from './model-world.ts';
import type { PlanInput } from './plan-input.ts';
import type { Plan, Step } from './plan-value.ts';
import { wantedInstances } from './wanted-instances.ts';

const attempt = deploymentId('d_now');

/** How one node looks in one spec. */
const nodeShape = fc.record({
  there: fc.boolean(),
  code: fc.constantFrom('1', '1', '2'),
  needs: fc.array(fc.nat(6), { maxLength: 3 }),
  mount: fc.constantFrom('none', 'shared', 'exclusive'),
  instances: fc.integer({ min: 1, max: 3 }),
  memory: fc.constantFrom(256, 512),
  hook: fc.boolean(),
  provision: fc.boolean(),
});
type NodeShape = typeof nodeShape extends fc.Arbitrary<infer Shape> ? Shape : never;

/** What may have happened to a node that was served. */
const mishap = fc.constantFrom('none', 'none', 'none', 'crashed', 'unready', 'gone', 'resized', 'surplus', 'leftover', 'no volume');
const scenario = fc.record({
  before: fc.option(fc.array(nodeShape, { minLength: 7, maxLength: 7 })),
  after: fc.array(nodeShape, { minLength: 7, maxLength: 7 }),
  mishaps: fc.array(mishap, { minLength: 7, maxLength: 7 }),
  network: fc.boolean(),
  order: fc.array(fc.nat(), { minLength: 60, maxLength: 60 }),
  crashAfter: fc.nat(20),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never;

function specOf(shapes: readonly NodeShape[]): EnvironmentSpec {
  const there = shapes.map((shape, index) => shape.there || index === 0);
  const nodes = shapes.flatMap((shape, index) => (there[index] ? [nodeOf(shape, index, there)] : []));
  return buildSpec(nodes, [routeTo('n0')]);
}

function nodeOf(shape: NodeShape, index: number, there: readonly boolean[]): NodeSpec {
  const needs = [...new Set(shape.needs)].filter((other) => other > index && there[other]);
  return buildNode(`n${index}`, {
    code: shape.code,
    relationships: needs.map((other) => relatedTo(`n${other}`)),
    mounts: shape.mount === 'none' ? [] : [mountAt('/app/data', shape.mount === 'exclusive' ? 'exclusive' : 'shared')],
    instances: shape.mount === 'exclusive' ? 1 : shape.instances,
    resources: { cpu: 0.5, memoryBytes: shape.memory * 1024 * 1024, diskBytes: 0 },
    hooks: { deploy: shape.hook ? './migrate' : undefined, postDeploy: shape.hook ? './warm' : undefined, postStart: undefined },
    provision: shape.provision ? { argv: ['provision'], schemas: [] } : undefined,
  });
}

function worldOf({ mishaps, network }: Scenario, previous: EnvironmentSpec | undefined): ObservedEnvironment {
  const world = observedWorld(previous);
  if (!previous) return world;
  const generations = previous.nodes.flatMap((node) => {
    const generation = observedGeneration(node, { instances: observedGeneration(node).instances.slice(0, wantedInstances(node)) });
    const change = (overrides: Partial<ObservedInstance>): typeof generation => ({
      ...generation,
      instances: generation.instances.map((instance, index) => (index === 0 ? { ...instance, ...overrides } : instance)),
    });
    const exclusive = node.mounts.some((mount) => mount.exclusive);
    switch (mishaps[Number(node.name.slice(1))]) {
      case 'crashed':
        return [change({ state: 'exited', exitCode: 3, address: undefined })];
      case 'unready':
        return [change({ readiness: 'unready' })];
      case 'gone':
        return [];
      case 'resized':
        return [change({ memoryBytes: 1 })];
      case 'surplus':
        return exclusive
          ? [generation]
          : [
              {
                ...generation,
                instances: [...generation.instances, { ...change({}).instances[0], id: `${node.name}-more`, index: 7 } as ObservedInstance],
              },
            ];
      case 'leftover': {
        const other = observedGeneration({ ...node, argv: ['left', 'over'] });
        return exclusive
          ? [generation]
          : [generation, { ...other, instances: other.instances.map((instance) => ({ ...instance, id: `${instance.id}-left` })) }];
      }
      default:
        return [generation];
    }
  });
  const kept = world.volumes.filter(({ node }) => mishaps[Number(node.slice(1))] !== 'no volume');
  return { ...world, generations, volumes: kept, network };
}

function planOf(world: ModelWorld, spec: EnvironmentSpec, previous: EnvironmentSpec | undefined): Plan {
  return makePlan(inputOf(world, spec, previous));
}

function inputOf(world: ModelWorld, spec: EnvironmentSpec, previous: EnvironmentSpec | undefined): PlanInput {
  const desired = { exists: true, run: 'up', spec, dataGeneration: 0, attempt } as const;
  return { desired, observed: world.observe(), previous, jobs: world.jobs, routes: world.wantedRoutes() };
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

function begin(value: Scenario): {
  readonly world: ModelWorld;
  readonly spec: EnvironmentSpec;
  readonly previous: EnvironmentSpec | undefined;
} {
  const previous = value.before ? specOf(value.before) : undefined;
  const spec = specOf(value.after);
  return { world: new ModelWorld({ spec, previous, observed: worldOf(value, previous), attempt }), spec, previous };
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

test('any plan, run in any order its edges allow, reaches what is desired and leaves nothing to plan', () => {
  fc.assert(
    fc.property(scenario, (value) => {
      const { world, spec, previous } = begin(value);
      run(world, planOf(world, spec, previous), value);
      assertDesired(world, spec);
      assert.deepEqual(planOf(world, spec, previous).steps, [], 'before it is noted as served');
      assert.deepEqual(planOf(world, spec, spec).steps, [], 'afterwards');
    }),
    { numRuns: 600 },
  );
});

test('a plan that is cut off anywhere is finished by the next one', () => {
  fc.assert(
    fc.property(scenario, (value) => {
      const { world, spec, previous } = begin(value);
      run(world, planOf(world, spec, previous), { order: value.order, limit: value.crashAfter });
      run(world, planOf(world, spec, previous), value);
      assertDesired(world, spec);
      assert.deepEqual(planOf(world, spec, previous).steps, [], 'before it is noted as served');
      assert.deepEqual(planOf(world, spec, spec).steps, [], 'afterwards');
    }),
    { numRuns: 600 },
  );
});

test('steps are in topological order, with unique ids, and wait only for steps of the plan', () => {
  fc.assert(
    fc.property(scenario, (value) => {
      const { world, spec, previous } = begin(value);
      const seen = new Set<string>();
      for (const step of planOf(world, spec, previous).steps) {
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
      const { world, spec, previous } = begin(value);
      const input = inputOf(world, spec, previous);
      assert.equal(canonicalJson(makePlan(shuffled(input))), canonicalJson(makePlan(input)));
    }),
    { numRuns: 300 },
  );
});

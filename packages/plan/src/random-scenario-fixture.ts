import {
  type DataSource,
  type Desired,
  type EnvironmentSpec,
  type NodeSpec,
  type ObservedEnvironment,
  type ObservedGeneration,
  type ObservedInstance,
  type SnapshotId,
  sha256,
  type VolumeMove,
} from '@coppice/model';
import {
  buildNode,
  buildSpec,
  deploymentId,
  mountAt,
  nodeName,
  observedGeneration,
  observedWorld,
  relatedTo,
  routeTo,
} from '@coppice/model/builders';
import fc from 'fast-check';
import type { ModelVolume } from './model-data.ts';
import type { ModelStart } from './model-world.ts';
import { wantedInstances } from './wanted-instances.ts';

export const attempt = deploymentId('d_now');
const count = 7;

/** How one node looks in one spec. */
const nodeShape = fc.record({
  there: fc.boolean(),
  code: fc.constantFrom('1', '1', '2'),
  needs: fc.array(fc.nat(6), { maxLength: 3 }),
  mount: fc.constantFrom('none', 'shared', 'exclusive'),
  /** Whose volume it mounts besides, as a worker does its application's. */
  shares: fc.option(fc.nat(6), { freq: 5, nil: undefined }),
  instances: fc.integer({ min: 1, max: 3 }),
  memory: fc.constantFrom(256, 512),
  hook: fc.boolean(),
  provision: fc.boolean(),
});
type NodeShape = typeof nodeShape extends fc.Arbitrary<infer Shape> ? Shape : never;

/** What may have happened to a node that was served. */
const mishap = fc.constantFrom(
  ...['none', 'none', 'none', 'none', 'crashed', 'unready', 'never started', 'gone', 'resized', 'surplus', 'leftover', 'odd leftover'],
  'no volume',
);

/** What shall become of the data. */
const dataShape = fc.record({
  /** `done`: the set is of the desired generation already. */
  source: fc.constantFrom('none', 'none', 'pending', 'pending', 'done'),
  isClosed: fc.boolean(),
  sanitizer: fc.record({ node: fc.nat(count), needs: fc.option(fc.array(fc.nat(6), { maxLength: 3 })) }),
  keep: fc.boolean(),
  /** Nodes of which the copy holds volumes. */
  copied: fc.array(fc.nat(6), { maxLength: 5 }),
  moves: fc.array(fc.record({ from: fc.nat(count), to: fc.nat(count) }), { maxLength: 4 }),
});

export const scenario = fc.record({
  before: fc.option(fc.array(nodeShape, { minLength: count, maxLength: count })),
  after: fc.array(nodeShape, { minLength: count, maxLength: count }),
  mishaps: fc.array(mishap, { minLength: count, maxLength: count }),
  network: fc.boolean(),
  data: dataShape,
  /** Whether data is copied where all requests wait. */
  copiesHeld: fc.boolean(),
  /** It slept, and all requests wait; what runs was started by a plan that was cut off. */
  slept: fc.constantFrom(false, false, true),
  order: fc.array(fc.nat(), { minLength: 60, maxLength: 60 }),
  crashAfter: fc.nat(20),
});
export type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never;

/** Where a plan begins: what is wished, what is there, and what the model needs to know besides. */
export function startOf(
  value: Scenario,
  overrides: Partial<Desired> = {},
): ModelStart & { readonly spec: EnvironmentSpec; readonly copiesHeld: boolean } {
  const previous = value.before ? specOf(value.before) : undefined;
  const spec = specOf(value.after);
  const { observed, leftOvers } = worldOf(value, previous);
  const { source, isClosed, sanitizer, keep } = value.data;
  const generation = source === 'none' ? 0 : 3;
  const copied: readonly ModelVolume[] = value.data.copied.map((index) => volumeOf(`n${index}`, 'copied'));
  const folders = source === 'pending' ? copied : observed.volumes;
  const dataSource: DataSource = {
    from: 'b_from' as SnapshotId,
    keep,
    aside: 'b_aside' as SnapshotId,
    ...(isClosed ? { sanitize: { node: nodeName(`n${sanitizer.node}`), run: './clean', timeoutMs: 1, spec: sha256('spec') } } : {}),
  };
  const desired: Desired = {
    exists: true,
    run: 'up',
    spec,
    dataGeneration: generation,
    ...(source === 'none' ? {} : { dataSource }),
    volumeMoves: movesIn(new Set(folders.map(({ node }) => node)), value.data.moves),
    attempt,
    ...overrides,
  };
  const demanded =
    sanitizer.needs && buildNode(`n${sanitizer.node}`, { relationships: sanitizer.needs.map((other) => relatedTo(`n${other}`)) });
  return {
    spec,
    previous,
    desired,
    observed: source === 'done' && observed.volumes.length > 0 ? { ...observed, dataGeneration: generation } : observed,
    leftOvers,
    kept: new Map(source === 'none' ? [] : [['b_from' as SnapshotId, copied]]),
    sanitizer: demanded ?? undefined,
    copiesHeld: value.copiesHeld,
  };
}

/** Renames that a release could ask for: each from what is there to what is free by then, none of them twice. */
function movesIn(there: ReadonlySet<string>, wished: Scenario['data']['moves']): readonly VolumeMove[] {
  const taken = new Set(there);
  const [left, reached] = [new Set<string>(), new Set<string>()];
  return wished.flatMap(({ from: fromIndex, to: toIndex }) => {
    const [from, to] = [`n${fromIndex}`, toIndex === count ? `n${fromIndex}~t_1` : `n${toIndex}`];
    if (!there.has(from) || left.has(from) || taken.has(to) || reached.has(to)) return [];
    taken.delete(from);
    taken.add(to);
    left.add(from);
    reached.add(to);
    return [{ from, to }];
  });
}

function volumeOf(node: string, content: string): ModelVolume {
  return { node, volume: 'app-data', content: `${node}'s app-data ${content}` };
}

export function specOf(shapes: readonly NodeShape[]): EnvironmentSpec {
  const there = shapes.map((shape, index) => shape.there || index === 0);
  const nodes = shapes.flatMap((shape, index) => (there[index] ? [nodeOf(shape, index, there)] : []));
  return buildSpec(nodes, [routeTo('n0'), ...(there[3] ? [routeTo('n3', 'http://n3.{default}/')] : [])]);
}

function nodeOf(shape: NodeShape, index: number, there: readonly boolean[]): NodeSpec {
  const needs = [...new Set(shape.needs)].filter((other) => other > index && there[other]);
  const own = shape.mount === 'none' ? [] : [mountAt('/app/data', shape.mount === 'exclusive' ? 'exclusive' : 'shared')];
  const other = shape.shares === undefined || shape.shares === index ? [] : [{ ...mountAt('/app/data'), target: '/app/other' }];
  const cache = { ...mountAt('/app/cache'), source: 'tmp', volume: '' } as const;
  return buildNode(`n${index}`, {
    code: shape.code,
    relationships: needs.map((needed) => relatedTo(`n${needed}`)),
    mounts: [...own, ...other.map((mount) => ({ ...mount, node: nodeName(`n${shape.shares}`) })), cache],
    instances: shape.mount === 'exclusive' ? 1 : shape.instances,
    resources: { cpu: 0.5, memoryBytes: shape.memory * 1024 * 1024, diskBytes: 0 },
    hooks: { deploy: shape.hook ? './migrate' : undefined, postDeploy: shape.hook ? './warm' : undefined, postStart: undefined },
    provision: shape.provision ? { argv: ['provision'], schemas: [] } : undefined,
  });
}

function worldOf(
  { mishaps, network, slept }: Pick<Scenario, 'mishaps' | 'network' | 'slept'>,
  previous: EnvironmentSpec | undefined,
): { readonly observed: ObservedEnvironment; readonly leftOvers: readonly NodeSpec[] } {
  const world = observedWorld(previous);
  if (!previous) return { observed: world, leftOvers: [] };
  const leftOvers: NodeSpec[] = [];
  const generations = previous.nodes.flatMap((node) => {
    const { there, leftOver } = afterMishap(node, mishaps[Number(node.name.slice(1))] ?? 'none');
    if (leftOver) leftOvers.push(leftOver);
    return there;
  });
  const kept = world.volumes.filter(({ node }) => mishaps[Number(node.slice(1))] !== 'no volume');
  const once = [...new Map(kept.map((volume) => [`${volume.node} ${volume.volume}`, volume])).values()];
  const hold = slept ? ('suspended' as const) : undefined;
  return { observed: { ...world, generations, volumes: once, network, hold }, leftOvers };
}

function afterMishap(node: NodeSpec, what: string): { readonly there: readonly ObservedGeneration[]; readonly leftOver?: NodeSpec } {
  const generation = observedGeneration(node, { instances: observedGeneration(node).instances.slice(0, wantedInstances(node)) });
  const change = (overrides: Partial<ObservedInstance>): ObservedGeneration => ({
    ...generation,
    instances: generation.instances.map((instance, index) => (index === 0 ? { ...instance, ...overrides } : instance)),
  });
  const exclusive = node.mounts.some((mount) => mount.exclusive);
  const beside = (leftOver: NodeSpec): { readonly there: readonly ObservedGeneration[]; readonly leftOver: NodeSpec } => {
    const other = observedGeneration(leftOver);
    const instances = other.instances.map((instance) => ({ ...instance, id: `${instance.id}-left` }));
    return { there: [generation, { ...other, instances }], leftOver };
  };
  switch (what) {
    case 'crashed':
      return { there: [change({ state: 'exited', exitCode: 3, address: undefined })] };
    case 'unready':
      return { there: [change({ readiness: 'unready' })] };
    case 'never started':
      return { there: [change({ state: 'created', address: undefined, readiness: 'unknown' })] };
    case 'gone':
      return { there: [] };
    case 'resized':
      return { there: [change({ memoryBytes: 1 })] };
    case 'surplus': {
      const [first] = generation.instances;
      if (exclusive || !first) return { there: [generation] };
      return { there: [{ ...generation, instances: [...generation.instances, { ...first, id: `${node.name}-more`, index: 7 }] }] };
    }
    case 'leftover':
      return exclusive ? { there: [generation] } : beside({ ...node, argv: ['left', 'over'] });
    case 'odd leftover':
      return exclusive ? { there: [generation] } : beside({ ...node, argv: ['left', 'over'], mounts: [mountAt('/app/data')] });
    default:
      return { there: [generation] };
  }
}

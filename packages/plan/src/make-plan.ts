import {
  CoppiceError,
  digestOf,
  type EnvironmentSpec,
  type NodeName,
  type NodeSpec,
  nodeDigest,
  type ObservedGeneration,
  type RelationshipSpec,
} from '@coppice/model';
import { assembleSteps } from './assemble-steps.ts';
import { type DataChange, dataChangeOf, holders, isRebuilt } from './data-change.ts';
import { decideNode, type NodeData } from './decide-node.ts';
import { diffValues } from './diff-values.ts';
import { findCycle } from './graph.ts';
import { type Handover, handoverOf } from './handed-volumes.ts';
import { populate } from './instance-state.ts';
import { idleWork, type NodeWork } from './node-work.ts';
import { type Relations, stopsOf } from './order-stops.ts';
import type { PlanInput } from './plan-input.ts';
import type { Plan, Reason, Step } from './plan-value.ts';
import { deleteSteps, suspendSteps } from './shut-down.ts';

/**
 * The way from what is observed to what is desired: what happens to each node and why, and the steps in an order that keeps every
 * dependency ready before its dependants. Pure; equal inputs in any order give byte-equal plans. A world that is as desired gives no
 * steps. Throws `invalid-configuration` where relationships of nodes that change form a ring.
 */
export function makePlan(input: PlanInput): Plan {
  const world = survey(input);
  const works = world.names.map((name) => decide(input, world, name));
  const steps = stepsOf(input, world, works);
  const changes = works.map((work) => work.change);
  return { v: 1, digest: digestOf({ changes, steps }), changes, steps };
}

interface World {
  readonly names: readonly NodeName[];
  /** Nodes of the desired spec, whether they shall run or not. */
  readonly declared: ReadonlyMap<NodeName, NodeSpec>;
  /** Nodes that shall run. */
  readonly specs: ReadonlyMap<NodeName, NodeSpec>;
  readonly before: ReadonlyMap<NodeName, NodeSpec>;
  readonly generations: ReadonlyMap<NodeName, readonly ObservedGeneration[]>;
  readonly volumes: ReadonlySet<string>;
  /** Nodes to whose provisioning something changed on the side of those that use it. */
  readonly dependantsChanged: ReadonlySet<NodeName>;
  readonly routed: ReadonlySet<NodeName>;
  readonly data: DataChange | undefined;
  readonly handover: Handover;
  /** Whether anything shall run. */
  readonly isUp: boolean;
  /** What sanitises cannot run for now, so what waits for it goes on waiting. */
  readonly isStalled: boolean;
}

function survey(input: PlanInput): World {
  const { desired, observed, previous } = input;
  const declared = byName(desired.spec?.nodes ?? []);
  const specs = desired.exists && desired.run === 'up' ? declared : new Map<NodeName, NodeSpec>();
  const before = byName(previous?.nodes ?? []);
  const generations = new Map<NodeName, ObservedGeneration[]>();
  for (const generation of observed.generations) {
    const known = generations.get(generation.node);
    if (known) known.push(generation);
    else generations.set(generation.node, [generation]);
  }
  const world = {
    names: [...new Set([...declared.keys(), ...generations.keys()])].sort(),
    declared,
    specs,
    before,
    generations,
    volumes: new Set(observed.volumes.map(({ node, volume }) => volumeKey(node, volume))),
    dependantsChanged: changedDependants(specs, before, generations),
    routed: new Set([...routedNodes(desired.spec), ...routedNodes(previous)]),
    data: dataChangeOf(input),
    handover: handoverOf(before.values(), specs.values()),
    isUp: desired.exists && desired.run === 'up',
  };
  return { ...world, isStalled: isStalled(input, world) };
}

function decide(input: PlanInput, world: World, name: NodeName): NodeWork {
  const spec = world.specs.get(name);
  const generations = world.generations.get(name) ?? [];
  const data = nodeData(world, name);
  if (spec && input.resting?.has(name) && !data) return idleWork(name);
  if (spec && world.isStalled && world.data?.closed?.needs.has(name) === false) return waitingWork(name, data);
  if (spec) {
    const work = decideNode({
      spec,
      data,
      leaves: world.handover.leaving.has(name),
      before: world.before.get(name),
      generations,
      missingVolumes: missingVolumes(spec, world.volumes),
      job: (hook) => input.jobs.find((job) => job.node === name && job.hook === hook)?.state,
      dependantsChanged: world.dependantsChanged.has(name),
    });
    return world.isStalled ? { ...work, deployJob: false, postDeployJob: false } : work;
  }
  if (generations.length === 0) return idleWork(name);
  const change = { node: name, action: 'remove', strategy: 'stop', reasons: [removalReason(input)] } as const;
  const stopFirst = world.isUp ? (world.handover.leaving.has(name) ? generations : (data?.holders ?? [])) : [];
  return { ...idleWork(name), change, stopFirst, stopLast: generations.filter((generation) => !stopFirst.includes(generation)) };
}

/** What the change of the data is to a node; undefined where it is nothing. */
function nodeData({ data, specs, declared, before, generations }: World, name: NodeName): NodeData | undefined {
  if (!data) return undefined;
  const spec = specs.get(name);
  const isAnother = spec !== undefined && isRebuilt(data, spec);
  const held = holders(data, { node: name, generations: generations.get(name) ?? [], specs: [declared.get(name), before.get(name)] });
  if (!isAnother && held.length === 0) return undefined;
  return { holders: held, isRebuilt: isAnother, reasons: [dataReason(data, name)] };
}

function dataReason(data: DataChange, name: NodeName): Reason {
  const move = data.switch ? undefined : data.moves.find(({ to }) => to === name);
  if (move) return { kind: 'moved', from: move.from };
  return { kind: data.switch || data.moves.length > 0 ? 'data' : 'closed' };
}

/** It starts once the data is sanitised, which cannot be done yet. */
function waitingWork(node: NodeName, data: NodeData | undefined): NodeWork {
  if (!data || data.holders.length === 0) return idleWork(node);
  const change = { node, action: 'update', strategy: 'stop', reasons: [{ kind: 'closed' }] } as const;
  return { ...idleWork(node), change, stopFirst: data.holders };
}

/** Whether something that sanitising needs rests, so that it cannot be done for now. */
function isStalled({ resting }: PlanInput, world: Omit<World, 'isStalled'>): boolean {
  if (!world.data?.closed || !resting) return false;
  return [...world.data.closed.needs].some((name) => {
    const spec = world.specs.get(name);
    if (!spec || !resting.has(name) || nodeData({ ...world, isStalled: false }, name)) return false;
    const digest = nodeDigest(spec);
    const right = (world.generations.get(name) ?? []).filter((generation) => generation.digest === digest);
    const { missing, confirmed } = populate(spec, right);
    return missing > 0 || !confirmed;
  });
}

function removalReason({ desired }: PlanInput): Reason {
  if (!desired.exists) return { kind: 'environment-deleted' };
  return { kind: desired.run === 'suspended' ? 'suspended' : 'gone' };
}

function stepsOf(
  { desired, observed, previous, routes, copiesHeld }: PlanInput,
  world: World,
  works: readonly NodeWork[],
): readonly Step[] {
  // Only nodes that change have edges, so a plan costs what it changes.
  const active = works.filter((work) => work.change.action !== 'keep').map((work) => work.node);
  const wanted = relations(active, [world.specs]);
  const served = relations(active, [world.before, world.declared]);
  refuseCycles(wanted);
  refuseCycles(served);
  const stopping = { works: stopsOf(works, 'stopLast'), served, observed };
  if (!desired.exists) return deleteSteps(stopping, desired.keepData);
  const isRouted = (node: NodeName): boolean => world.routed.has(node);
  const differ = routes !== undefined && routes !== observed.routes;
  if (desired.run === 'suspended') return suspendSteps(stopping, { differ, isRouted }, world.data);
  const canCopy = copiesHeld === true && !world.data && observed.hold !== 'switching' && observed.volumes.length > 0;
  const sanitizes = world.data?.closed !== undefined && !world.isStalled;
  return assembleSteps({
    works,
    copiesUnder: (held) => canCopy && (held ? held.length === world.routed.size : observed.hold === 'suspended'),
    desired: wanted,
    served,
    createNetwork: !observed.network && (world.specs.size > 0 || sanitizes),
    routesDiffer: differ || (routes === undefined && routesLookDifferent(desired.spec, { observed, previous })),
    isRouted,
    routedAbove: (nodes) => routedAbove(world, nodes),
    holding: observed.hold === 'switching',
    data: world.data,
    waitsFor: world.handover.waitsFor,
    sanitizes,
  });
}

/** Over the relationships of before and after, since both serve while a plan is applied. Iterative. */
function routedAbove({ specs, before, routed }: World, nodes: readonly NodeName[]): readonly NodeName[] {
  const dependants = new Map<NodeName, NodeName[]>();
  for (const spec of [...specs.values(), ...before.values()]) {
    for (const { node } of spec.relationships) {
      const known = dependants.get(node);
      if (known) known.push(spec.name);
      else dependants.set(node, [spec.name]);
    }
  }
  const found = new Set(nodes);
  for (const node of found) for (const dependant of dependants.get(node) ?? []) found.add(dependant);
  return [...found].filter((node) => routed.has(node)).sort();
}

/** Where the wanted table is not known: whether there is none yet, or the declared routes are others than those served. */
function routesLookDifferent(spec: EnvironmentSpec | undefined, { observed, previous }: Pick<PlanInput, 'observed' | 'previous'>): boolean {
  if (!spec) return false;
  if (observed.routes === undefined) return spec.routes.length > 0;
  return previous !== undefined && previous.routes !== spec.routes && diffValues(previous.routes, spec.routes).length > 0;
}

function refuseCycles(relations: Relations): void {
  const cycle = findCycle(relations);
  if (cycle) throw new CoppiceError('invalid-configuration', `relationships form a ring: ${[...cycle, cycle[0]].join(' → ')}`);
}

function byName(nodes: readonly NodeSpec[]): ReadonlyMap<NodeName, NodeSpec> {
  return new Map(nodes.map((node) => [node.name, node]));
}

/** What each of `names` needs, by the first of `sources` that knows it. */
function relations(names: readonly NodeName[], sources: readonly ReadonlyMap<NodeName, NodeSpec>[]): Relations {
  return new Map(
    names.map((name) => {
      const spec = sources.find((source) => source.has(name))?.get(name);
      return [name, (spec?.relationships ?? []).map(({ node }) => node).sort()];
    }),
  );
}

function routedNodes(spec: EnvironmentSpec | undefined): readonly NodeName[] {
  return (spec?.routes ?? []).flatMap((route) => (route.kind === 'upstream' ? [route.node] : []));
}

function missingVolumes(spec: NodeSpec, present: ReadonlySet<string>): readonly string[] {
  if (spec.mounts.length === 0) return [];
  const kept = spec.mounts.filter((mount) => mount.source !== 'tmp' && !present.has(volumeKey(mount.node ?? spec.name, mount.volume)));
  return [...new Set(kept.map((mount) => mount.volume))];
}

function volumeKey(node: NodeName, volume: string): string {
  return `${node} ${volume}`;
}

/** Provisioned nodes of which a node that is not running yet will need what was not served: those it uses were told by then. */
function changedDependants(
  nodes: ReadonlyMap<NodeName, NodeSpec>,
  before: ReadonlyMap<NodeName, NodeSpec>,
  generations: ReadonlyMap<NodeName, readonly ObservedGeneration[]>,
): ReadonlySet<NodeName> {
  const changed = new Set<NodeName>();
  if (before.size === 0) return changed;
  for (const node of nodes.values()) {
    const served = before.get(node.name)?.relationships;
    for (const relationship of node.relationships) {
      if (nodes.get(relationship.node)?.provision === undefined || changed.has(relationship.node)) continue;
      const text = userText(relationship);
      if (served?.some((other) => other.node === relationship.node && userText(other) === text)) continue;
      const digest = nodeDigest(node);
      if (!generations.get(node.name)?.some((generation) => generation.digest === digest)) changed.add(relationship.node);
    }
  }
  return changed;
}

function userText({ name, endpoint, path, privileges }: RelationshipSpec): string {
  const rights = Object.entries(privileges).map(([schema, right]) => `${schema}=${right}`);
  return [name, endpoint, path, ...rights.sort()].join(' ');
}

import { type Digest, type NodeName, type NodeSpec, nodeDigest, type ObservedGeneration } from '@coppice/model';
import { diffValues } from './diff-values.ts';
import { inPlaceReasons, instanceReasons, type Population, populate } from './instance-state.ts';
import { replaceReasons } from './node-reasons.ts';
import { idleWork, type NodeWork } from './node-work.ts';
import type { RecordedJob } from './plan-input.ts';
import type { Change, Reason } from './plan-value.ts';
import { isExclusive } from './wanted-instances.ts';

/** What is known of one node that shall run. */
export interface NodeSituation {
  readonly spec: NodeSpec;
  /** As it was last served. */
  readonly before: NodeSpec | undefined;
  readonly generations: readonly ObservedGeneration[];
  /** What happens to the data that it mounts; undefined where nothing does. */
  readonly data?: NodeData | undefined;
  /** It lets go of a volume that another node shall hold alone. */
  readonly leaves?: boolean;
  /** Kept volumes of the node that do not exist. */
  readonly missingVolumes: readonly string[];
  readonly job: (hook: string) => RecordedJob['state'] | undefined;
  /** Whether a node that is not running yet will need users or rights of it that were not served. */
  readonly dependantsChanged: boolean;
}

/** What the change of an environment's data is to one node. */
export interface NodeData {
  /** Generations that must be gone before it. */
  readonly holders: readonly ObservedGeneration[];
  /** What the node mounts becomes another; the volumes that are there now say nothing. */
  readonly isRebuilt: boolean;
  /** Why, in either case. */
  readonly reasons: readonly Reason[];
}

/** Decides what happens to a node that shall run. */
export function decideNode(situation: NodeSituation): NodeWork {
  const { spec, generations, data } = situation;
  const digest = nodeDigest(spec);
  const isRight = (generation: ObservedGeneration): boolean => generation.digest === digest && data?.holders.includes(generation) !== true;
  const right = generations.filter(isRight);
  const stale = right.length === generations.length ? [] : generations.filter((generation) => !isRight(generation));
  const population = populate(spec, right);
  if (isIdle(situation, population, stale)) return idleWork(spec.name);
  return decide({ situation, digest, right, stale, population, isNew: isNew(situation, digest) });
}

/** The way of most nodes of most plans, kept free of everything that costs. */
function isIdle(situation: NodeSituation, population: Population, stale: readonly ObservedGeneration[]): boolean {
  const { spec, before, missingVolumes, dependantsChanged } = situation;
  const quiet = stale.length === 0 && missingVolumes.length === 0 && !dependantsChanged;
  if (!quiet || population.missing > 0 || population.remove.length > 0 || population.differ || !population.confirmed) return false;
  if (before === spec) return true;
  return before !== undefined && !spec.hooks.deploy && !spec.hooks.postDeploy && sameInPlace(before, spec);
}

interface Decision {
  readonly situation: NodeSituation;
  readonly digest: Digest;
  /** Those that stay. */
  readonly right: readonly ObservedGeneration[];
  /** Those of another digest, and those that mount data that becomes another. */
  readonly stale: readonly ObservedGeneration[];
  readonly population: Population;
  readonly isNew: boolean;
}

function decide(decision: Decision): NodeWork {
  const { situation, digest, stale, population } = decision;
  const { spec } = situation;
  const start = population.missing > 0;
  // Nobody has seen these ready: a server that died may have left them half provisioned.
  const awaitReady = start || !population.confirmed;
  const { before, job } = situation;
  const provisionChanged =
    situation.dependantsChanged || (job('provision') !== 'succeeded' && differs(before?.provision, spec.provision, before));
  const exclusive = situation.leaves === true || isExclusive(spec) || (before !== undefined && isExclusive(before));
  const held = situation.data?.holders ?? [];
  const mayHold = (generation: ObservedGeneration): boolean =>
    held.includes(generation) || (start && mayHoldVolume(situation, generation.digest));
  const stopFirst = exclusive ? stale : stale.filter(mayHold);
  const stopLast = stale.filter((generation) => !stopFirst.includes(generation));
  const egressChanged = job('firewall') !== 'succeeded' && differs(before?.egress, spec.egress, before);
  const overlapping = stopLast.length > 0;
  const surplus = !start && population.remove.length > 0;
  const work: Omit<NodeWork, 'change'> = {
    node: spec.name,
    target: { spec, digest },
    volumes: situation.missingVolumes.length > 0 || situation.data?.isRebuilt === true,
    mounts: spec.mounts.some((mount) => mount.source !== 'tmp'),
    start,
    provision: spec.provision !== undefined && (awaitReady || provisionChanged),
    awaitReady,
    address: addressSwitch({ awaitReady, overlapping, other: egressChanged || stale.length > 0 || surplus }),
    firewall: egressChanged,
    resize: population.differ,
    ...jobs(decision),
    remove: { ids: population.remove.map((instance) => instance.id), at: start ? 'start' : 'end' },
    stopFirst,
    stopLast,
  };
  return { ...work, change: changeOf(decision, work, egressChanged) };
}

/** An attempt that never served left it: nobody knows whether it holds a volume alone, and nothing is lost where it goes first. */
function mayHoldVolume({ spec, before }: NodeSituation, digest: Digest): boolean {
  return spec.mounts.some((mount) => mount.source !== 'tmp') && (before === undefined || nodeDigest(before) !== digest);
}

function addressSwitch(need: {
  readonly awaitReady: boolean;
  readonly overlapping: boolean;
  readonly other: boolean;
}): NodeWork['address'] {
  if (need.awaitReady && !need.overlapping) return 'ready';
  return need.awaitReady || need.other ? 'release' : 'none';
}

/** New in this release, or another than what was served: its hooks run. A node that must only run again is not. */
function isNew({ before, spec }: NodeSituation, digest: Digest): boolean {
  return before === undefined || (before !== spec && nodeDigest(before) !== digest);
}

function jobs({ situation, isNew: fresh }: Decision): Pick<NodeWork, 'deployJob' | 'postDeployJob'> {
  const { hooks } = situation.spec;
  const before = situation.before?.hooks;
  const mayDeploy = hooks.deploy !== undefined && situation.job('deploy') !== 'succeeded';
  // One that failed is not run again: the release served already.
  const mayPostDeploy = hooks.postDeploy !== undefined && ['started', undefined].includes(situation.job('post_deploy'));
  return {
    deployJob: mayDeploy && (fresh || before?.deploy !== hooks.deploy),
    postDeployJob: mayPostDeploy && (fresh || before?.postDeploy !== hooks.postDeploy),
  };
}

function changeOf(decision: Decision, work: Omit<NodeWork, 'change'>, egressChanged: boolean): Change {
  const { situation, right, stale, population } = decision;
  const { before, spec } = situation;
  const node: NodeName = spec.name;
  const around = aroundReasons(situation, work);
  const ofData = situation.data?.reasons ?? [];
  const isMoved = ofData.some(({ kind }) => kind === 'moved');
  const nothingThere = right.every((generation) => generation.instances.length === 0);
  if (stale.length > 0 || (nothingThere && work.start && (decision.isNew || situation.data?.isRebuilt))) {
    const reasons = replacementOf(decision);
    const isCreated = stale.length === 0 && before === undefined;
    if (isCreated && !isMoved) return { node, action: 'create', strategy: 'start', reasons: [{ kind: 'new' }] };
    const action = isMoved && reasons.length === 0 ? 'move' : 'replace';
    return {
      node,
      action,
      strategy: replacementStrategy(decision, work),
      reasons: [...reasons, ...ofData, ...(stale.length > 0 ? around : [])],
    };
  }
  const reasons = [
    ...instanceReasons(population, spec, before),
    ...inPlaceReasons(population, spec),
    ...(egressChanged ? drift('the firewall changed') : []),
    ...around,
  ];
  if (reasons.length === 0 && isIdleWork(work)) return { node, action: 'keep', strategy: 'none', reasons: [] };
  const strategy = work.start ? 'start' : work.remove.ids.length > 0 ? 'stop' : 'in-place';
  return { node, action: 'update', strategy, reasons };
}

function isIdleWork(work: Omit<NodeWork, 'change'>): boolean {
  return !work.awaitReady && !work.provision && work.address === 'none' && !work.deployJob && !work.postDeployJob;
}

function replacementStrategy({ situation, stale }: Decision, { stopLast }: Pick<NodeWork, 'stopLast'>): Change['strategy'] {
  if (stale.length === 0) return 'start';
  if (stopLast.length > 0) return 'overlap';
  const isHeldOnly = stale.every((generation) => situation.data?.holders.includes(generation));
  const runs = stale.some(({ instances }) => instances.some(({ state }) => state === 'running'));
  return isHeldOnly && !runs ? 'start' : 'hold and switch';
}

/** Why another generation takes over, or what is wrong where the release itself did not change. */
function replacementOf({ situation, digest, stale, isNew: fresh }: Decision): readonly Reason[] {
  if (situation.before && fresh) return replaceReasons(situation.before, situation.spec);
  const others = stale.filter((generation) => generation.digest !== digest);
  if (others.length === 0) return [];
  const running = others.map((generation) => generation.digest.slice(7, 14)).sort();
  return drift(`${running.length === 1 ? 'a generation' : 'generations'} that no release names is there (${running.join(', ')})`);
}

function aroundReasons(situation: NodeSituation, work: Omit<NodeWork, 'change'>): readonly Reason[] {
  return [
    ...(situation.data?.isRebuilt ? [] : [...situation.missingVolumes])
      .sort()
      .flatMap((volume) => drift(`the volume ${volume} is missing`)),
    ...(work.awaitReady && !work.start ? drift('not known to be ready') : []),
    ...(work.provision && !work.awaitReady ? drift('what it provides to others changed') : []),
    ...(work.deployJob && !work.start ? drift('the hook deploy has not run') : []),
    ...(work.postDeployJob && !work.start ? drift('the hook post_deploy has not run') : []),
  ];
}

function drift(detail: string): readonly Reason[] {
  return [{ kind: 'drift', detail }];
}

function sameInPlace(before: NodeSpec, spec: NodeSpec): boolean {
  return !differs(before.egress, spec.egress, before) && !differs(before.provision, spec.provision, before);
}

function differs(before: unknown, after: unknown, served: NodeSpec | undefined): boolean {
  return served !== undefined && before !== after && diffValues(before, after).length > 0;
}

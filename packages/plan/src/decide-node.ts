import { type DeploymentId, type Digest, type NodeName, type NodeSpec, nodeDigest, type ObservedGeneration } from '@coppice/model';
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
  /** Kept volumes of the node that do not exist. */
  readonly missingVolumes: readonly string[];
  readonly attempt: DeploymentId | undefined;
  readonly job: (hook: string) => RecordedJob['state'] | undefined;
  /** Whether a node that is not running yet will need users or rights of it that were not served. */
  readonly dependantsChanged: boolean;
}

/** Decides what happens to a node that shall run. */
export function decideNode(situation: NodeSituation): NodeWork {
  const { spec, generations } = situation;
  const digest = nodeDigest(spec);
  const right = generations.filter((generation) => generation.digest === digest);
  const stale = right.length === generations.length ? [] : generations.filter((generation) => generation.digest !== digest);
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
  readonly right: readonly ObservedGeneration[];
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
  const exclusive = isExclusive(spec) || (before !== undefined && isExclusive(before));
  const stopFirst = exclusive ? stale : start ? stale.filter(({ digest: other }) => mayHoldVolume(situation, other)) : [];
  const stopLast = stale.filter((generation) => !stopFirst.includes(generation));
  const egressChanged = job('firewall') !== 'succeeded' && differs(before?.egress, spec.egress, before);
  const overlapping = stopLast.length > 0;
  const surplus = !start && population.remove.length > 0;
  const work: Omit<NodeWork, 'change'> = {
    node: spec.name,
    target: { spec, digest },
    volumes: situation.missingVolumes.length > 0,
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

function jobs({ situation, right, isNew: fresh }: Decision): Pick<NodeWork, 'deployJob' | 'postDeployJob'> {
  const { hooks } = situation.spec;
  const before = situation.before?.hooks;
  const startedByThisAttempt = right.some((generation) => generation.deployment === situation.attempt);
  const mayDeploy = hooks.deploy !== undefined && !startedByThisAttempt && situation.job('deploy') !== 'succeeded';
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
  if (stale.length > 0) {
    return {
      node,
      action: 'replace',
      strategy: work.stopLast.length === 0 ? 'hold and switch' : 'overlap',
      reasons: [...replacementOf(decision), ...around],
    };
  }
  const nothingThere = right.every((generation) => generation.instances.length === 0);
  if (nothingThere && work.start && decision.isNew) {
    const action = before ? 'replace' : 'create';
    return { node, action, strategy: 'start', reasons: before ? replacementOf(decision) : [{ kind: 'new' }] };
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

/** Why another generation takes over, or what is wrong where the release itself did not change. */
function replacementOf({ situation, stale, isNew: fresh }: Decision): readonly Reason[] {
  if (situation.before && fresh) return replaceReasons(situation.before, situation.spec);
  const running = stale.map((generation) => generation.digest.slice(7, 14)).sort();
  return drift(`${running.length === 1 ? 'a generation' : 'generations'} that no release names is there (${running.join(', ')})`);
}

function aroundReasons(situation: NodeSituation, work: Omit<NodeWork, 'change'>): readonly Reason[] {
  return [
    ...[...situation.missingVolumes].sort().flatMap((volume) => drift(`the volume ${volume} is missing`)),
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

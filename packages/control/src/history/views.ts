import type { EngineListing } from '@coppice/engine';
import {
  type Activity,
  type Deployment,
  type EnvironmentId,
  isClosed,
  type NodeName,
  type NodeSpec,
  nodeDigest,
  type ObservedGeneration,
  type ObservedInstance,
  type Release,
  releaseDigest,
} from '@coppice/model';
import type { Plan } from '@coppice/plan';
import type { EnvironmentRecord, Store } from '@coppice/state';
import type {
  ActivityView,
  DeploymentView,
  EnvironmentDetail,
  EnvironmentStatus,
  EnvironmentView,
  NodeView,
  PlanView,
  ReleaseView,
} from '../control-plane.ts';
import { addressingOf } from '../environment/addressing.ts';
import { publicUrls } from '../environment/routes.ts';
import type { Settings } from '../ports.ts';
import { liveOf } from './find.ts';

/** What a health monitor knows of an instance. */
type ReadinessOf = (instance: ObservedInstance) => ObservedInstance['readiness'];

/** What views of environments are made from, besides the environment and what the engine lists of it. */
export interface ViewParts {
  readonly store: Store;
  readonly settings: Settings;
  readonly readiness: ReadinessOf;
  readonly crashes: (environment: EnvironmentId, node: NodeName) => NodeView['crashes'];
}

/** `listing` is undefined while the engine cannot be asked: the status then says what is known. */
export function environmentView(parts: ViewParts, environment: EnvironmentRecord, listing: EngineListing | undefined): EnvironmentView {
  const { store, settings } = parts;
  const live = liveOf(store, environment);
  const parent = environment.parent && store.environments.get(environment.parent);
  const addressing = addressingOf(environment, settings);
  return {
    name: environment.name,
    branch: environment.branch,
    parent: parent ? parent.name : null,
    status: statusOf(parts, environment, live?.spec.nodes, listing),
    urls: live ? publicUrls(live.spec, addressing) : [],
    release: live ? { commit: live.deployment.commit, tree: live.deployment.tree, digest: live.deployment.release ?? '' } : null,
    deployment: environment.live ?? null,
  };
}

export function environmentDetail(parts: ViewParts, environment: EnvironmentRecord, listing: EngineListing | undefined): EnvironmentDetail {
  const { store, readiness, crashes } = parts;
  const spec = environment.desired.spec ?? liveOf(store, environment)?.spec;
  const nodes = (spec?.nodes ?? []).map((node): NodeView => {
    const seen = nodeView(node, listing?.generations ?? [], readiness);
    return { ...seen, crashes: crashes(environment.id, node.name) };
  });
  return { ...environmentView(parts, environment, listing), nodes };
}

function nodeView(node: NodeSpec, generations: readonly ObservedGeneration[], readiness: ReadinessOf): Omit<NodeView, 'crashes'> {
  const digest = nodeDigest(node);
  const instances = generations
    .filter((generation) => generation.node === node.name)
    .flatMap((generation) =>
      generation.instances.map((instance) => ({
        id: instance.id,
        status: instanceStatus(instance, generation.digest === digest, readiness),
      })),
    );
  return { name: node.name, kind: node.kind, digest, image: node.image.manifest, instances };
}

function instanceStatus(instance: ObservedInstance, wanted: boolean, readiness: ReadinessOf): NodeView['instances'][number]['status'] {
  if (instance.state === 'exited') return 'crashed';
  if (!wanted) return 'stopping';
  if (instance.state === 'created') return 'starting';
  const known = readiness(instance);
  return known === 'unknown' ? 'starting' : known;
}

function statusOf(
  { store, readiness }: ViewParts,
  environment: EnvironmentRecord,
  nodes: readonly NodeSpec[] | undefined,
  listing: EngineListing | undefined,
): EnvironmentStatus {
  if (!environment.desired.exists) return 'deleting';
  if (isClosed(environment.desired)) return 'closed';
  if (!nodes) return 'creating';
  const wakes = store.activities.list({ environment: environment.id, state: 'running' }).some(({ kind }) => kind === 'wake');
  if (wakes) return 'waking';
  if (environment.desired.run === 'suspended') return 'suspended';
  if (!listing) return 'degraded';
  const whole = nodes.every((node) => {
    const views = nodeView(node, listing.generations, readiness).instances.filter((instance) => instance.status === 'ready');
    return views.length >= node.instances;
  });
  return whole ? 'active' : 'degraded';
}

export function deploymentView(store: Store, deployment: Deployment): DeploymentView {
  return {
    id: deployment.id,
    sequence: deployment.sequence,
    environment: store.environments.get(deployment.environment)?.name ?? deployment.environment,
    commit: deployment.commit,
    release: deployment.release ?? null,
    status: deployment.status,
    reason: deployment.reason,
    startedAt: deployment.startedAt,
    finishedAt: deployment.finishedAt ?? null,
    durations: deployment.durations,
    plans: deployment.plans,
  };
}

export function planView(plan: Plan, toBuild: PlanView['toBuild'] = []): PlanView {
  const steps = plan.steps.map((step) => ({ id: step.id, kind: step.kind, node: 'node' in step ? step.node : null, after: step.after }));
  return { digest: plan.digest, changes: plan.changes, steps, toBuild };
}

export function releaseView(release: Release, at: { readonly commit: string; readonly tree: string }): ReleaseView {
  const nodes = release.nodes.map((node) => ({
    name: node.name,
    kind: node.kind,
    image: node.image.manifest,
    digest: nodeDigest(node),
    type: node.trace.type,
    version: node.trace.version,
  }));
  return { commit: at.commit, tree: at.tree, digest: releaseDigest(release), nodes };
}

export function activityView(store: Store, activity: Activity): ActivityView {
  const environment = activity.environment && store.environments.get(activity.environment);
  return { ...activity, environment: environment ? environment.name : (activity.environment ?? null) };
}

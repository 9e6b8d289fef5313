import type { PushContext, PushVerdict, RefUpdate } from '@coppice/git';
import type { ImageHold } from '@coppice/images';
import type { Digest, EnvironmentSpec, GitId, Release } from '@coppice/model';
import { describePlan } from '@coppice/plan';
import type { EnvironmentRecord, Project } from '@coppice/state';
import type { ActivityRecorder } from '../activity-recorder.ts';
import { keptVolumes } from '../environment/kept-volumes.ts';
import type { Ports } from '../ports.ts';
import { checkDataIsKept } from '../release/data-gate.ts';
import { overlay } from '../release/overlay.ts';
import { releaseOfTree } from '../release/release-of-tree.ts';
import { checkRoom } from './check-room.ts';
import type { PlanPreview } from './plan-preview.ts';
import { failureLines } from './push-lines.ts';
import { type PushOptions, parsePushOptions } from './push-options.ts';
import { branchOf, isDeletion, isHead } from './push-refs.ts';

/** What a push brings to one branch, resolved: kept between the two hooks of one push. */
export interface PreparedUpdate {
  readonly update: RefUpdate;
  readonly tree: GitId;
  readonly release: { readonly digest: Digest; readonly value: Release };
  readonly spec: EnvironmentSpec;
  readonly buildMs: number;
}

/** From the end of a build to its deployment, at most. */
const longestPushMs = 3_600_000;

/** Validates and builds what a push brings, with its objects still in quarantine. Refuses all of it where any of it is wrong. */
export class PushPreparer {
  readonly #ports: Ports;
  readonly #activities: ActivityRecorder;
  readonly #preview: PlanPreview;
  /** Build times by project and commit, for the deployment that follows. */
  readonly #buildMs = new Map<string, number>();
  /** By project and commit: what keeps the images of a push until its deployment names them. */
  readonly #holds = new Map<string, ImageHold>();

  constructor(ports: Ports, activities: ActivityRecorder, preview: PlanPreview) {
    this.#ports = ports;
    this.#activities = activities;
    this.#preview = preview;
  }

  async prepare(push: PushContext, project: Project): Promise<PushVerdict> {
    const options = parsePushOptions(push.options);
    const heads = push.updates.filter((update) => isHead(update) && !isDeletion(update));
    if (options.planOnly) return await this.#planOnly(push, project, heads);
    const fresh = heads.filter((update) => !this.#ports.store.environments.findByBranch(project.name, branchOf(update)));
    checkRoom(this.#ports, project.name, fresh.length);
    const results = await Promise.allSettled(heads.map((update) => this.#prepareUpdate(push, project, update, options)));
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    return failures.length === 0 ? { kind: 'accepted' } : { kind: 'refused', lines: failures.flatMap(failureLines) };
  }

  /** The milliseconds that building a commit took in this push; asked once. */
  takeBuildMs(project: string, commit: string): number {
    const key = `${project} ${commit}`;
    const found = this.#buildMs.get(key) ?? 0;
    this.#buildMs.delete(key);
    return found;
  }

  async #prepareUpdate(push: PushContext, project: Project, update: RefUpdate, options: PushOptions): Promise<void> {
    const branch = branchOf(update);
    const environment = this.#ports.store.environments.findByBranch(project.name, branch);
    const activity = this.#activities.start({
      kind: 'build',
      project: project.name,
      environment: environment?.id,
      actor: push.actor,
      cause: `push of ${update.next.slice(0, 7)} to ${branch}`,
      echo: push.say,
      signal: push.signal,
    });
    const startedMs = this.#ports.clock.monotonicMs();
    this.#hold(project.name, update.next);
    try {
      const { tree } = await push.objects.commit(update.next);
      const release = await releaseOfTree(this.#ports, { project: project.name, tree, objects: push.objects, activity, mode: 'first' });
      if (environment) await this.#checkData(environment, { tree, release, allowed: options.allowDestroy });
      this.#rememberBuild(project, update, this.#ports.clock.monotonicMs() - startedMs);
      activity.finish('succeeded');
    } catch (error) {
      this.letGo(project.name, update.next);
      for (const line of failureLines(error)) activity.note(line);
      activity.finish(activity.signal.aborted ? 'cancelled' : 'failed', error);
      throw error;
    }
  }

  /** What was built for the commit is named by its deployment now, or by nobody. */
  letGo(project: string, commit: string): void {
    const key = `${project} ${commit}`;
    this.#holds.get(key)?.release();
    this.#holds.delete(key);
  }

  /** A push that ends between its hooks is let go by itself. */
  #hold(project: string, commit: string): void {
    this.letGo(project, commit);
    const hold = this.#ports.images.hold();
    this.#holds.set(`${project} ${commit}`, hold);
    setTimeout(() => hold.release(), longestPushMs).unref();
  }

  async #checkData(
    environment: EnvironmentRecord,
    change: {
      readonly tree: GitId;
      readonly release: { readonly digest: Digest; readonly value: Release };
      readonly allowed: ReadonlySet<string>;
    },
  ): Promise<void> {
    const { tree, release, allowed } = change;
    const kept = await keptVolumes(this.#ports, environment);
    const reverts = this.#ports.store.deployments
      .list(environment.id)
      .some((deployment) => deployment.status === 'succeeded' && deployment.tree === tree);
    if (!reverts) checkDataIsKept(overlay(release.value, release.digest, environment.branch), kept, allowed);
  }

  #rememberBuild(project: Project, update: RefUpdate, ms: number): void {
    if (this.#buildMs.size > 1000) this.#buildMs.clear();
    this.#buildMs.set(`${project.name} ${update.next}`, ms);
  }

  async #planOnly(push: PushContext, project: Project, heads: readonly RefUpdate[]): Promise<PushVerdict> {
    for (const update of heads) {
      const { tree } = await push.objects.commit(update.next);
      const environment = this.#ports.store.environments.findByBranch(project.name, branchOf(update));
      const preview = await this.#preview.ofTree({
        project: project.name,
        tree,
        objects: push.objects,
        environment,
        branch: branchOf(update),
      });
      for (const line of describePlan(preview.plan)) push.say(line);
      for (const { node, key } of preview.toBuild) push.say(`to build ${key} for ${node}`);
    }
    return { kind: 'refused', lines: ['plan only: nothing was changed'] };
  }
}

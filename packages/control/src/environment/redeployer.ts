import { CoppiceError, type Deployment, type GitId } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { ActivityRecorder, RunningActivity } from '../activity-recorder.ts';
import type { ChangeQueue } from '../change-queue.ts';
import type { CloneTarget } from '../data/cloner.ts';
import { environmentById } from '../history/find.ts';
import type { Ports } from '../ports.ts';
import { laneOf } from '../push/deploy-push.ts';
import { failureLines } from '../push/push-lines.ts';
import { refOfBranch } from '../push/push-refs.ts';
import { overlay } from '../release/overlay.ts';
import { releaseOfTree } from '../release/release-of-tree.ts';
import type { NewData } from './deploy-request.ts';
import type { Deployer } from './deployer.ts';
import { repositoryOf } from './repository-of.ts';

/** How an environment begins that no push made. */
export interface FirstDeployment {
  readonly kind: 'branch' | 'trash';
  readonly actor: string;
  readonly cause: string;
  readonly commit: GitId;
  /** The data that it begins with. */
  readonly data: (target: CloneTarget) => Promise<NewData | undefined>;
  /** Once it serves. */
  readonly done?: () => Promise<void>;
}

const none = '0'.repeat(40) as GitId;

interface Parts {
  readonly ports: Ports;
  readonly activities: ActivityRecorder;
  readonly queue: ChangeQueue;
  readonly deployer: Deployer;
  /** The data that a deployment last served; throws `not-found` where it was not kept. */
  readonly lastServed: (environment: EnvironmentRecord, target: Deployment) => NewData;
}

/** Deployments that no push asked for: the tip again, and commits that bring back an earlier tree. */
export class Redeployer {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Starts deploying the tip once more; answers the activity's id at once. */
  redeploy(environment: EnvironmentRecord, options: { readonly actor: string; readonly refresh: boolean }): string {
    const cause = options.refresh ? 'redeploy with everything resolved anew' : 'redeploy';
    return this.#start({ kind: 'redeploy', environment, actor: options.actor, cause }, async (activity) => {
      const tip = await this.#tip(environment);
      await this.#deploy({
        environment,
        activity,
        actor: options.actor,
        reason: cause,
        previous: tip,
        commit: tip,
        mode: options.refresh ? 'refresh' : 'first',
      });
    });
  }

  /**
   * Starts deploying one commit on the tip with that deployment's tree; answers the activity's id at once. `withData`: with the data that it
   * last served. Throws `not-found` where that was not kept.
   */
  revert(
    environment: EnvironmentRecord,
    target: Deployment,
    { actor, withData }: { readonly actor: string; readonly withData: boolean },
  ): string {
    const cause = `revert to ${target.id} (${target.commit.slice(0, 7)})${withData ? ' with its data' : ''}`;
    const data = withData ? this.#parts.lastServed(environment, target) : undefined;
    return this.#start({ kind: 'revert', environment, actor, cause }, async (activity) => {
      const tip = await this.#tip(environment);
      const message = `Revert to deployment ${target.id}\n\nThe tree is that of commit ${target.commit}.\n`;
      const repository = repositoryOf(this.#parts.ports, environment.project);
      const commit = await repository.commitTree({ tree: target.tree, parent: tip, message, author: actor });
      const about = { environment, activity, actor, reason: cause, previous: tip, commit, mode: 'first' } as const;
      await this.#deploy({ ...about, ...(data ? { data: () => Promise.resolve(data) } : {}) });
    });
  }

  /** Starts the first deployment of an environment that no push made; its branch comes with it. Answers the activity's id at once. */
  begin(environment: EnvironmentRecord, first: FirstDeployment): string {
    const { kind, actor, cause, commit, data, done } = first;
    const work = async (activity: RunningActivity): Promise<void> => {
      await this.#refuseBegun(environment);
      await this.#deploy({ environment, activity, actor, reason: cause, previous: none, commit, mode: 'first', data });
      await done?.();
    };
    return this.#start({ kind, environment, actor, cause }, work, () => this.#parts.deployer.dropUnborn(environment.id));
  }

  /** Somebody may have pushed the branch while its turn was waited for. */
  async #refuseBegun({ id, branch, project }: EnvironmentRecord): Promise<void> {
    const { ports } = this.#parts;
    const isBegun = environmentById(ports.store, id).desired.spec !== undefined;
    if (isBegun || (await repositoryOf(ports, project).refs('refs/heads/')).has(refOfBranch(branch))) {
      throw new CoppiceError('conflict', `the branch ${branch} is there already`, { hint: 'delete it first, or take another name' });
    }
  }

  #start(
    start: {
      readonly kind: 'redeploy' | 'revert' | 'branch' | 'trash';
      readonly environment: EnvironmentRecord;
      readonly actor: string;
      readonly cause: string;
    },
    work: (activity: RunningActivity) => Promise<void>,
    onFailure: () => Promise<void> = () => Promise.resolve(),
  ): string {
    const { environment, ...rest } = start;
    const activity = this.#parts.activities.start({ ...rest, project: environment.project, environment: environment.id });
    const lane = laneOf(environment.project, environment.branch);
    void this.#parts.queue
      .run(lane, 'push', () => work(activity), activity.signal)
      .catch(async (error: unknown) => {
        await onFailure();
        throw error;
      })
      .then(
        () => activity.finish('succeeded'),
        (error: unknown) => {
          for (const line of failureLines(error)) activity.say(line);
          activity.finish(activity.signal.aborted ? 'cancelled' : 'failed', error);
        },
      );
    return activity.id;
  }

  async #tip(environment: EnvironmentRecord): Promise<GitId> {
    const ref = refOfBranch(environment.branch);
    const tip = (await repositoryOf(this.#parts.ports, environment.project).refs('refs/heads/')).get(ref);
    if (!tip) throw new CoppiceError('not-found', `the branch ${environment.branch} is gone`);
    return tip;
  }

  async #deploy(request: {
    readonly environment: EnvironmentRecord;
    readonly activity: RunningActivity;
    readonly actor: string;
    readonly reason: string;
    readonly previous: GitId;
    readonly commit: GitId;
    readonly mode: 'first' | 'refresh';
    readonly data?: FirstDeployment['data'];
  }): Promise<void> {
    const { ports, deployer } = this.#parts;
    const { environment, activity, mode, data: dataFor, ...deployment } = request;
    const repository = repositoryOf(ports, environment.project);
    const startedMs = ports.clock.monotonicMs();
    const { tree } = await repository.objects.commit(request.commit);
    const release = await releaseOfTree(ports, { project: environment.project, tree, objects: repository.objects, activity, mode });
    const buildMs = ports.clock.monotonicMs() - startedMs;
    const current = environmentById(ports.store, environment.id);
    const spec = overlay(release.value, release.digest, current.branch);
    const data = await dataFor?.({ environment: current, release: release.value, spec, activity });
    await deployer.deploy({
      ...deployment,
      ...(data ? { data } : {}),
      environment: current,
      activity,
      ref: refOfBranch(environment.branch),
      tree,
      release,
      options: [],
      buildMs,
      refMoves: request.previous === request.commit ? 'before' : 'after',
    });
  }
}

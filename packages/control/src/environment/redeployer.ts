import { CoppiceError, type Deployment, type GitId } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { ActivityRecorder, RunningActivity } from '../activity-recorder.ts';
import type { ChangeQueue } from '../change-queue.ts';
import type { Ports } from '../ports.ts';
import { laneOf } from '../push/deploy-push.ts';
import { failureLines } from '../push/push-lines.ts';
import { refOfBranch } from '../push/push-refs.ts';
import { releaseOfTree } from '../release/release-of-tree.ts';
import { type Deployer, environmentById, repositoryOf } from './deployer.ts';

interface Parts {
  readonly ports: Ports;
  readonly activities: ActivityRecorder;
  readonly queue: ChangeQueue;
  readonly deployer: Deployer;
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

  /** Starts deploying one commit on the tip with that deployment's tree; answers the activity's id at once. */
  revert(environment: EnvironmentRecord, target: Deployment, actor: string): string {
    const cause = `revert to ${target.id} (${target.commit.slice(0, 7)})`;
    return this.#start({ kind: 'revert', environment, actor, cause }, async (activity) => {
      const tip = await this.#tip(environment);
      const message = `Revert to deployment ${target.id}\n\nThe tree is that of commit ${target.commit}.\n`;
      const repository = repositoryOf(this.#parts.ports, environment.project);
      const commit = await repository.commitTree({ tree: target.tree, parent: tip, message, author: actor });
      await this.#deploy({ environment, activity, actor, reason: cause, previous: tip, commit, mode: 'first' });
    });
  }

  #start(
    start: {
      readonly kind: 'redeploy' | 'revert';
      readonly environment: EnvironmentRecord;
      readonly actor: string;
      readonly cause: string;
    },
    work: (activity: RunningActivity) => Promise<void>,
  ): string {
    const { environment, ...rest } = start;
    const activity = this.#parts.activities.start({ ...rest, project: environment.project, environment: environment.id });
    const lane = laneOf(environment.project, environment.branch);
    void this.#parts.queue
      .run(lane, 'push', () => work(activity))
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
  }): Promise<void> {
    const { ports, deployer } = this.#parts;
    const { environment, activity, mode, ...deployment } = request;
    const repository = repositoryOf(ports, environment.project);
    const startedMs = ports.clock.monotonicMs();
    const { tree } = await repository.objects.commit(request.commit);
    const release = await releaseOfTree(ports, { project: environment.project, tree, objects: repository.objects, activity, mode });
    const buildMs = ports.clock.monotonicMs() - startedMs;
    const current = environmentById(ports.store, environment.id);
    await deployer.deploy({
      ...deployment,
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

import type { PushContext, RefResult, RefUpdate } from '@coppice/git';
import { CoppiceError, type EnvironmentId, environmentName } from '@coppice/model';
import type { EnvironmentRecord, Project } from '@coppice/state';
import type { ActivityRecorder } from '../activity-recorder.ts';
import type { ChangeQueue } from '../change-queue.ts';
import type { Cloner } from '../data/cloner.ts';
import { addressingOf } from '../environment/addressing.ts';
import type { DeployRequest } from '../environment/deploy-request.ts';
import type { Deployer } from '../environment/deployer.ts';
import type { Remover } from '../environment/remover.ts';
import { publicUrls } from '../environment/routes.ts';
import { liveOf } from '../history/find.ts';
import type { Ports } from '../ports.ts';
import { overlay } from '../release/overlay.ts';
import { releaseOfTree } from '../release/release-of-tree.ts';
import { parentOf } from './parent.ts';
import type { PushPreparer } from './prepare-push.ts';
import { failureLines, failureReason } from './push-lines.ts';
import { type PushOptions, parsePushOptions } from './push-options.ts';
import { branchOf, isDeletion, isZero } from './push-refs.ts';

interface Parts {
  readonly ports: Ports;
  readonly activities: ActivityRecorder;
  readonly queue: ChangeQueue;
  readonly deployer: Deployer;
  readonly remover: Remover;
  readonly preparer: PushPreparer;
  readonly cloner: Cloner;
}

interface ChangeOptions extends PushOptions {
  /** Called when a ref that moves before its release serves has moved. */
  readonly refMoved: () => void;
}

/** Name of the lane in which changes of a branch's environment wait for each other. */
export function laneOf(project: string, branch: string): string {
  return `${project} ${branch}`;
}

/** Deploys each branch of an accepted push and answers per ref. Environments go side by side; one branch, one change at a time. */
export class PushDeployer {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async deploy(push: PushContext, project: Project): Promise<readonly RefResult[]> {
    const options = parsePushOptions(push.options);
    return await Promise.all(push.updates.map((update) => this.#answer(push, project, update, options)));
  }

  async #answer(push: PushContext, project: Project, update: RefUpdate, options: PushOptions): Promise<RefResult> {
    try {
      const lane = laneOf(project.name, branchOf(update));
      const moved = Promise.withResolvers<void>();
      const done = this.#parts.queue.run(lane, 'push', () => this.#change(push, project, update, { ...options, refMoved: moved.resolve }));
      await (options.noWait ? Promise.race([moved.promise, done]) : done);
      return { kind: 'ok', ref: update.ref };
    } catch (error) {
      this.#parts.activities.failures.add(error);
      this.#parts.ports.log('push.refused', { project: project.name, ref: update.ref, error });
      for (const line of failureLines(error)) push.say(line);
      return { kind: 'refused', ref: update.ref, why: failureReason(error) };
    } finally {
      this.#parts.preparer.letGo(project.name, update.next);
    }
  }

  async #change(push: PushContext, project: Project, update: RefUpdate, options: ChangeOptions): Promise<void> {
    const { ports } = this.#parts;
    const repository = ports.repositories.open(project.id);
    const current = (await repository.refs('refs/heads/')).get(update.ref);
    if ((current ?? '') !== (isZero(update.previous) ? '' : update.previous)) {
      throw new CoppiceError('conflict', 'the branch moved while you pushed; fetch and push again');
    }
    const branch = branchOf(update);
    if (isDeletion(update)) {
      const environment = ports.store.environments.findByBranch(project.name, branch);
      const ref = { project: project.name, ref: update.ref, previous: update.previous };
      await this.#parts.remover.remove({ ...ref, environment, actor: push.actor, cause: `branch ${branch} was deleted`, echo: push.say });
      return;
    }
    const request = await this.#request(push, project, update, options);
    try {
      if (options.noWait) await this.#deployLater(request, options.refMoved);
      else await this.#deployNow(request, push);
    } catch (error) {
      await this.#parts.deployer.dropUnborn(request.environment.id);
      throw error;
    }
  }

  async #deployNow(request: Omit<DeployRequest, 'refMoves'>, push: PushContext): Promise<void> {
    const { activity } = request;
    try {
      await this.#parts.deployer.deploy({ ...request, refMoves: 'after' });
      this.#sayUrls(request, push);
      activity.finish('succeeded');
    } catch (error) {
      activity.finish(activity.signal.aborted ? 'cancelled' : 'failed', error);
      throw error;
    }
  }

  /** The ref moves at once and the client is answered; what becomes of the deployment is in its activity. The lane stays held. */
  async #deployLater(request: Omit<DeployRequest, 'refMoves'>, refMoved: () => void): Promise<void> {
    const { activity } = request;
    activity.say(`deploying in the background; follow it: coppice activity log ${activity.id} --follow`);
    try {
      await this.#parts.deployer.deploy({ ...request, refMoves: 'before', onRefMoved: refMoved });
      activity.finish('succeeded');
    } catch (error) {
      for (const line of failureLines(error)) activity.note(line);
      activity.finish(activity.signal.aborted ? 'cancelled' : 'failed', error);
      throw error;
    }
  }

  async #request(push: PushContext, project: Project, update: RefUpdate, options: PushOptions): Promise<Omit<DeployRequest, 'refMoves'>> {
    const { ports, activities, preparer } = this.#parts;
    const branch = branchOf(update);
    const known = ports.store.environments.findByBranch(project.name, branch);
    let created: EnvironmentId | undefined;
    const activity = activities.start({
      kind: 'push',
      project: project.name,
      environment: known?.id,
      actor: push.actor,
      cause: `push of ${update.next.slice(0, 7)} to ${branch}`,
      echo: push.say,
    });
    try {
      const { tree } = await push.objects.commit(update.next);
      const about = { project: project.name, tree, objects: push.objects, activity, mode: 'first' } as const;
      const release = await releaseOfTree(ports, about);
      const environment = known ?? (await this.#create(project, update, options));
      if (!known) created = environment.id;
      activity.about({ environment: environment.id });
      const spec = overlay(release.value, release.digest, branch);
      const isNew = known === undefined && options.clone;
      const data = isNew ? await this.#parts.cloner.forNewBranch({ environment, release: release.value, spec, activity }) : undefined;
      return {
        ...(data ? { data } : {}),
        environment,
        ref: update.ref,
        previous: update.previous,
        commit: update.next,
        tree,
        release,
        actor: push.actor,
        reason: `push of ${update.next.slice(0, 7)}`,
        options: push.options,
        buildMs: preparer.takeBuildMs(project.name, update.next),
        activity,
      };
    } catch (error) {
      if (created) await this.#parts.deployer.dropUnborn(created);
      activity.finish('failed', error);
      throw error;
    }
  }

  async #create(project: Project, update: RefUpdate, options: PushOptions): Promise<EnvironmentRecord> {
    const { store, repositories } = this.#parts.ports;
    const repository = repositories.open(project.id);
    const parent = await parentOf({ store, repository, project: project.name, commit: update.next, asked: options.parent });
    const taken = new Set(store.environments.list(project.name).map((environment) => environment.name));
    const branch = branchOf(update);
    return store.environments.create({ project: project.name, name: environmentName(branch, taken), branch, parent });
  }

  #sayUrls(request: Omit<DeployRequest, 'refMoves'>, push: PushContext): void {
    const { ports } = this.#parts;
    const environment = ports.store.environments.get(request.environment.id);
    const live = environment && liveOf(ports.store, environment);
    if (environment && live) for (const url of publicUrls(live.spec, addressingOf(environment, ports.settings))) push.say(`live at ${url}`);
  }
}

import {
  CoppiceError,
  type Deployment,
  type DeploymentId,
  type Desired,
  type EnvironmentId,
  type EnvironmentSpec,
  isClosed,
} from '@coppice/model';
import type { BackupBefore, TakenBackup } from '../data/backup-before.ts';
import { closedData } from '../data/capture.ts';
import type { DataKeeper } from '../data/data-keeper.ts';
import type { HeldData } from '../data/held-data.ts';
import { recordLaidAside } from '../data/laid-aside.ts';
import { refuseUnsettledData } from '../data/unsettled-data.ts';
import { volumeMoves } from '../data/volume-moves.ts';
import { environmentById, liveOf } from '../history/find.ts';
import type { Ports } from '../ports.ts';
import { failureReason } from '../push/push-lines.ts';
import { redactedFailure } from '../redacted-failure.ts';
import { overlay } from '../release/overlay.ts';
import { addressingOf } from './addressing.ts';
import type { DeployRequest } from './deploy-request.ts';
import { heldFolders } from './kept-volumes.ts';
import { settleMoves, supersedeIntents } from './left-intents.ts';
import { repositoryOf } from './repository-of.ts';
import { creatingTable } from './routes.ts';
import { type TakeBackParts, takeBack } from './take-back.ts';
import { undoLeft } from './undo-left.ts';

/** A deployment that is recorded and desired. */
interface Begun {
  readonly request: DeployRequest;
  readonly spec: EnvironmentSpec;
  readonly deployment: Deployment;
  readonly intent: string;
}

export interface DeployerParts extends TakeBackParts {
  readonly keeper: DataKeeper;
  readonly backups: BackupBefore;
}

/** Brings releases into environments: writes what is desired, lets the loop do it, and moves the ref or takes the wish back. */
export class Deployer {
  readonly #parts: DeployerParts;
  readonly #ports: Ports;

  constructor(parts: DeployerParts) {
    this.#parts = parts;
    this.#ports = parts.ports;
  }

  /** Resolves once the release serves and the ref moved. Throws what failed, with the old release serving again. */
  async deploy(asked: DeployRequest): Promise<Deployment> {
    const { store } = this.#ports;
    const { request, spec, deployment, intent } = await this.#begin(asked).finally(() => {
      if (asked.data) this.#parts.keeper.named(asked.data.source.from);
    });
    request.activity.about({ environment: request.environment.id, deployment: deployment.id });
    let backup: TakenBackup | undefined;
    try {
      // What other data replaces is kept by that.
      if (!request.data)
        backup = await this.#parts.backups.take(request.environment, { spec, deployment: deployment.id, activity: request.activity });
      if (request.refMoves === 'before') {
        await this.#moveRef(request);
        store.intents.setPhase(intent, 'moved');
        request.onRefMoved?.();
      }
      if (request.environment.live === undefined) await this.#announce(request);
      await this.#reconcile(request, deployment.id, backup?.held);
      await backup?.taken;
      store.intents.setPhase(intent, 'applied');
      if (request.refMoves === 'after') await this.#moveRef(request);
    } catch (error) {
      const told = redactedFailure(error, store.secrets.values(request.environment.id));
      await backup?.taken;
      await takeBack(this.#parts, { request, deployment: deployment.id, intent, backup, error: told });
      throw told;
    } finally {
      if (backup) this.#parts.backups.release(backup);
    }
    return await this.#succeed(request, deployment.id, intent);
  }

  async #begin(asked: DeployRequest): Promise<Begun> {
    const { store } = this.#ports;
    const { activity, release, data } = asked;
    const environment = await undoLeft({
      ports: this.#ports,
      reconciler: this.#parts.reconciler,
      environment: asked.environment,
      activity,
    });
    const request = { ...asked, environment };
    await this.#refuse(request);
    const spec = overlay(release.value, release.digest, environment.branch);
    // What the environment holds, or is about to get.
    const held = data ? data.origin.held : await heldFolders(this.#ports, environment);
    const served = data ? data.origin.spec : liveOf(store, environment)?.spec;
    const trash = data ? [] : store.trash.list({ environment: environment.id });
    const moves = volumeMoves({ spec, served, held, trash, newId: () => store.trash.newId() });
    return store.transaction(() => {
      recordLaidAside(this.#ports, environment, { moves, ownerOf: (folder) => held.get(folder) });
      supersedeIntents(store, environment.id);
      const deployment = store.deployments.create({
        environment: environment.id,
        commit: request.commit,
        tree: request.tree,
        release: release.digest,
        spec: store.releases.putSpec(spec),
        status: 'deploying',
        reason: request.reason,
        actor: request.actor,
      });
      store.deployments.update(deployment.id, { durations: { build: Math.round(request.buildMs) } });
      const intent = store.intents.create({
        project: environment.project,
        environment: environment.id,
        ref: request.ref,
        previous: request.previous,
        next: request.commit,
        deployment: deployment.id,
        actor: request.actor,
        options: request.options,
        phase: 'accepted',
      });
      const { dataGeneration, dataSource } = environment.desired;
      const source = data ? { ...data.source, attempt: deployment.id } : dataSource;
      const desired: Desired = {
        exists: true,
        run: 'up',
        spec,
        dataGeneration: data ? dataGeneration + 1 : dataGeneration,
        ...(source ? { dataSource: source } : {}),
        ...(moves.length > 0 ? { volumeMoves: moves } : {}),
        attempt: deployment.id,
      };
      store.environments.setDesired(environment.id, desired);
      const reason = `before ${request.reason}`;
      if (data && environment.live && !isClosed(environment.desired))
        this.#parts.keeper.record({ id: data.source.aside, environment, kind: 'replaced', reason, before: deployment.id });
      return { request, spec, deployment, intent: intent.id };
    });
  }

  /** Throws `conflict` where nothing may be deployed now: the data would get lost, or be seen by whoever may not. */
  async #refuse({ environment, data }: DeployRequest): Promise<void> {
    await refuseUnsettledData(this.#ports, environment);
    if (data && isClosed(environment.desired)) throw closedData(environment);
  }

  async #announce(request: DeployRequest): Promise<void> {
    const spec = this.#ports.store.environments.get(request.environment.id)?.desired.spec;
    if (spec)
      await this.#ports.router.apply(request.environment.id, creatingTable(spec, addressingOf(request.environment, this.#ports.settings)));
    request.activity.log('environment.creating');
  }

  async #reconcile(request: DeployRequest, deployment: DeploymentId, held: HeldData | undefined): Promise<void> {
    const { planMs, applyMs } = await this.#parts.reconciler.reconcile(request.environment.id, {
      activity: request.activity,
      deployment,
      crashed: 'start',
      held,
    });
    this.#ports.store.deployments.update(deployment, { durations: { plan: Math.round(planMs), apply: Math.round(applyMs) } });
    const nextMs = this.#parts.reconciler.nextLookMs(request.environment.id);
    if (nextMs !== undefined) this.#parts.lookIn(request.environment.id, nextMs);
  }

  async #moveRef(request: DeployRequest): Promise<void> {
    if (request.previous === request.commit) return;
    const repository = repositoryOf(this.#ports, request.environment.project);
    try {
      await repository.updateRefs([{ ref: request.ref, previous: request.previous, next: request.commit }]);
    } catch (error) {
      // A lost answer says nothing: what moved has moved.
      if ((await repository.refs('refs/heads/')).get(request.ref) !== request.commit) throw error;
    }
  }

  async #succeed(request: DeployRequest, id: DeploymentId, intent: string): Promise<Deployment> {
    const { store } = this.#ports;
    store.transaction(() => {
      store.deployments.update(id, { status: 'succeeded', finished: true });
      store.environments.setLive(request.environment.id, id);
      settleMoves(store, request.environment.id);
      store.intents.delete(intent);
      this.#letSleepAgain(request);
    });
    await this.#settle(request);
    const deployment = store.deployments.get(id);
    if (!deployment) throw new CoppiceError('internal', `deployment ${id} vanished`);
    await this.#note(request, deployment);
    return deployment;
  }

  /** The trash follows what lies in the volumes; where that cannot be seen now, the loop sees to it. */
  async #settle({ environment, activity }: DeployRequest): Promise<void> {
    try {
      await this.#parts.keeper.settle(environment.id);
    } catch (error) {
      activity.log('trash.unsettled', { error });
      this.#parts.lookIn(environment.id, 0);
    }
  }

  /** One that slept was woken for its deployment only. */
  #letSleepAgain({ environment, activity }: DeployRequest): void {
    if (environment.desired.run !== 'suspended') return;
    const { desired } = environmentById(this.#ports.store, environment.id);
    this.#ports.store.environments.setDesired(environment.id, { ...desired, run: 'suspended' });
    activity.say(`${environment.name} slept and sleeps again; the next request wakes it`);
    this.#parts.lookIn(environment.id, 0);
  }

  /** The record as a git note. The deployment stands also where the note cannot be written; that is said. */
  async #note(request: DeployRequest, deployment: Deployment): Promise<void> {
    const record = {
      v: 1,
      environment: request.environment.name,
      deployment: deployment.id,
      release: deployment.release,
      actor: deployment.actor,
      at: deployment.finishedAt,
    };
    try {
      await repositoryOf(this.#ports, request.environment.project).appendNote(request.commit, JSON.stringify(record));
    } catch (error) {
      request.activity.say(`the deployment's note could not be written: ${failureReason(error)}`);
      request.activity.log('note.failed', { error });
    }
  }

  /** Drops the record of an environment that was made for a change which then never began: nothing of it is there. */
  async dropUnborn(id: EnvironmentId): Promise<void> {
    const environment = this.#ports.store.environments.get(id);
    if (environment && environment.live === undefined && environment.desired.spec === undefined) await this.#parts.reconciler.forget(id);
  }
}

import type { Repository } from '@coppice/git';
import {
  CoppiceError,
  type DataSource,
  type Deployment,
  type DeploymentId,
  type Desired,
  type Digest,
  type EnvironmentId,
  type EnvironmentSpec,
  type GitId,
  isClosed,
  type Release,
} from '@coppice/model';
import type { EnvironmentRecord, Store } from '@coppice/state';
import type { RunningActivity } from '../activity-recorder.ts';
import type { BackupBefore, TakenBackup } from '../data/backup-before.ts';
import { closedData } from '../data/capture.ts';
import { dataAgain } from '../data/data-again.ts';
import type { DataKeeper } from '../data/data-keeper.ts';
import type { HeldData } from '../data/held-data.ts';
import { recordLaidAside } from '../data/laid-aside.ts';
import type { OriginOfData } from '../data/origin-of-data.ts';
import { refuseUnsettledData } from '../data/unsettled-data.ts';
import { volumeMoves } from '../data/volume-moves.ts';
import { liveOf } from '../history/find.ts';
import type { Ports } from '../ports.ts';
import { failureReason } from '../push/push-lines.ts';
import { redactedFailure } from '../redacted-failure.ts';
import { overlay } from '../release/overlay.ts';
import { addressingOf } from './addressing.ts';
import { heldFolders } from './kept-volumes.ts';
import { lastGood } from './last-good.ts';
import { settleMoves, supersedeIntents } from './left-intents.ts';
import type { Reconciler } from './reconciler.ts';
import { creatingTable } from './routes.ts';
import { undoLeft } from './undo-left.ts';

/** One change of an environment's release, by whoever asked for it. */
export interface DeployRequest {
  readonly environment: EnvironmentRecord;
  readonly ref: string;
  /** The ref's value before, 40 zeros for a new one; equal to `commit` where no ref moves. */
  readonly previous: string;
  readonly commit: GitId;
  readonly tree: GitId;
  readonly release: { readonly digest: Digest; readonly value: Release };
  readonly actor: string;
  readonly reason: string;
  readonly options: readonly string[];
  readonly buildMs: number;
  readonly activity: RunningActivity;
  /** `after`: the ref moves once the release serves; `before`: at once, when the intent is written. */
  readonly refMoves: 'after' | 'before';
  /** Called when a ref that moves before has moved. */
  readonly onRefMoved?: () => void;
  /** Data that comes with the release, in place of the environment's own. */
  readonly data?: NewData;
}

/** A deployment that is recorded and desired. */
interface Begun {
  readonly request: DeployRequest;
  readonly spec: EnvironmentSpec;
  readonly deployment: Deployment;
  readonly intent: string;
}

/** A kept copy that an environment gets, and what it is a copy of. */
export interface NewData {
  readonly source: Omit<DataSource, 'attempt'>;
  readonly origin: OriginOfData;
}

/** Brings releases into environments: writes what is desired, lets the loop do it, and moves the ref or takes the wish back. */
export class Deployer {
  readonly #ports: Ports;
  readonly #reconciler: Reconciler;
  readonly #keeper: DataKeeper;
  readonly #backups: BackupBefore;
  readonly #lookIn: (id: EnvironmentId, ms: number) => void;

  constructor(parts: {
    readonly ports: Ports;
    readonly reconciler: Reconciler;
    readonly keeper: DataKeeper;
    readonly backups: BackupBefore;
    /** Asks the loop for a look after so many milliseconds. */
    readonly lookIn: (id: EnvironmentId, ms: number) => void;
  }) {
    this.#ports = parts.ports;
    this.#reconciler = parts.reconciler;
    this.#keeper = parts.keeper;
    this.#backups = parts.backups;
    this.#lookIn = parts.lookIn;
  }

  /** Resolves once the release serves and the ref moved. Throws what failed, with the old release serving again. */
  async deploy(asked: DeployRequest): Promise<Deployment> {
    const { store } = this.#ports;
    const { request, spec, deployment, intent } = await this.#begin(asked).finally(() => {
      if (asked.data) this.#keeper.named(asked.data.source.from);
    });
    request.activity.about({ environment: request.environment.id, deployment: deployment.id });
    let backup: TakenBackup | undefined;
    try {
      // What other data replaces is kept by that.
      if (!request.data)
        backup = await this.#backups.take(request.environment, { spec, deployment: deployment.id, activity: request.activity });
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
      await this.#takeBack(request, { deployment: deployment.id, intent, backup }, told);
      throw told;
    } finally {
      if (backup) this.#backups.release(backup);
    }
    return await this.#succeed(request, deployment.id, intent);
  }

  async #begin(asked: DeployRequest): Promise<Begun> {
    const { store } = this.#ports;
    const { activity, release, data } = asked;
    const environment = await undoLeft({ ports: this.#ports, reconciler: this.#reconciler, environment: asked.environment, activity });
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
        this.#keeper.record({ id: data.source.aside, environment, kind: 'replaced', reason, before: deployment.id });
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
    const { planMs, applyMs } = await this.#reconciler.reconcile(request.environment.id, {
      activity: request.activity,
      deployment,
      crashed: 'start',
      held,
    });
    this.#ports.store.deployments.update(deployment, { durations: { plan: Math.round(planMs), apply: Math.round(applyMs) } });
    const nextMs = this.#reconciler.nextLookMs(request.environment.id);
    if (nextMs !== undefined) this.#lookIn(request.environment.id, nextMs);
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
      await this.#keeper.settle(environment.id);
    } catch (error) {
      activity.log('trash.unsettled', { error });
      this.#lookIn(environment.id, 0);
    }
  }

  /** One that slept was woken for its deployment only. */
  #letSleepAgain({ environment, activity }: DeployRequest): void {
    if (environment.desired.run !== 'suspended') return;
    const { desired } = environmentById(this.#ports.store, environment.id);
    this.#ports.store.environments.setDesired(environment.id, { ...desired, run: 'suspended' });
    activity.say(`${environment.name} slept and sleeps again; the next request wakes it`);
    this.#lookIn(environment.id, 0);
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

  /** Desired goes back to what served, or to nothing for an environment that never did. */
  async #takeBack(
    request: DeployRequest,
    {
      deployment,
      intent,
      backup,
    }: { readonly deployment: DeploymentId; readonly intent: string; readonly backup: TakenBackup | undefined },
    error: unknown,
  ): Promise<void> {
    const { store } = this.#ports;
    const { environment, activity } = request;
    const status = activity.signal.aborted ? 'cancelled' : 'failed';
    const ended = { status, reason: failureReason(error), finished: true } as const;
    activity.say(`${status}: ${ended.reason}`);
    activity.say(environment.live === undefined ? 'removing what was started' : 'the release before goes on serving');
    const held = backup?.held?.isCurrent ? backup.held.id : undefined;
    const aside = held && store.backups.newId();
    // Requests were served since the backup, and what they wrote would be lost with it: that is for people to decide.
    if (aside)
      activity.say(`its data becomes again what it was when requests began to wait; what was made of it since is kept as ${aside}`);
    else if (backup?.id) activity.say(`its data stays as it is now; as it was before this deployment: coppice backup restore ${backup.id}`);
    if (request.refMoves === 'after') {
      store.transaction(() => {
        store.deployments.update(deployment, ended);
        store.intents.setPhase(intent, 'accepted');
      });
    }
    try {
      const { desired: tried } = environmentById(store, environment.id);
      const data =
        held && aside
          ? { dataGeneration: tried.dataGeneration + 1, dataSource: { from: held, keep: false, aside } }
          : await dataAgain(this.#ports, environment.id, { tried, before: environment.desired });
      store.transaction(() => {
        if (aside)
          this.#keeper.record({ id: aside, environment, kind: 'replaced', reason: `what the failed ${deployment} made of the data` });
        store.deployments.update(deployment, ended);
        store.environments.setDesired(environment.id, lastGood(store, environment, data));
        if (request.refMoves === 'after') store.intents.delete(intent);
      });
      await this.#reconciler.reconcile(environment.id, {
        // What undoes it is for the log; whoever pushed wants to read why.
        activity: { ...activity, say: activity.note, signal: new AbortController().signal },
        deployment: undefined,
        crashed: 'start',
      });
      if (environment.live === undefined) await this.#reconciler.forget(environment.id);
      else settleMoves(store, environment.id);
      if (request.refMoves === 'before') store.intents.delete(intent);
    } catch (failure) {
      activity.say(`the release before could not be restored at once: ${failureReason(failure)}; the loop goes on trying`);
      activity.log('restore.failed', { error: failure });
      this.#lookIn(environment.id, 0);
    }
  }

  /** Drops the record of an environment that was made for a change which then never began: nothing of it is there. */
  async dropUnborn(id: EnvironmentId): Promise<void> {
    const environment = this.#ports.store.environments.get(id);
    if (environment && environment.live === undefined && environment.desired.spec === undefined) await this.#reconciler.forget(id);
  }
}

/** The repository of a project, by the project's name. */
export function repositoryOf(ports: Pick<Ports, 'store' | 'repositories'>, project: string): Repository {
  const record = ports.store.projects.find(project);
  if (!record) throw new CoppiceError('not-found', `no project is named "${project}"`);
  return ports.repositories.open(record.id);
}

/** Asked by id, throwing where it is gone. */
export function environmentById(store: Store, id: EnvironmentId): EnvironmentRecord {
  const environment = store.environments.get(id);
  if (!environment) throw new CoppiceError('not-found', `the environment ${id} is gone`);
  return environment;
}

import type { EnvironmentNetwork } from '@coppice/engine';
import { createPerformer, type EnvironmentWork, executePlan, type StepResult } from '@coppice/executor';
import {
  CoppiceError,
  type DeploymentId,
  type EnvironmentId,
  type EnvironmentSpec,
  isCoppiceError,
  type ObservedEnvironment,
  routeTableDigest,
} from '@coppice/model';
import { describePlan, makePlan, type Plan, type Step } from '@coppice/plan';
import type { EnvironmentRecord } from '@coppice/state';
import type { ActivityRecorder, RunningActivity } from '../activity-recorder.ts';
import type { DataKeeper } from '../data/data-keeper.ts';
import { DataLimits } from '../data/data-limits.ts';
import type { HeldData } from '../data/held-data.ts';
import { liveOf } from '../history/find.ts';
import type { Ports } from '../ports.ts';
import { isZero } from '../push/push-refs.ts';
import { attemptOf } from './attempt.ts';
import { deleteBranch } from './delete-branch.ts';
import { sanitizerOf } from './foreign-data.ts';
import type { HealthMonitor } from './health-monitor.ts';
import { finishMoved, giveUpData, giveUpMoved, settleMoves, supersedeIntents } from './left-intents.ts';
import type { Lingering } from './lingering.ts';
import { observe, watchable } from './observe.ts';
import { recordedRepair } from './recorded-repair.ts';
import { settleLeft } from './recovery.ts';
import type { RestartBackoff } from './restart-backoff.ts';
import { servingNow, unconfirmed } from './serving.ts';
import { strayJobs } from './stray-jobs.ts';
import type { WakeFailures } from './wake-failures.ts';
import { type AsleepTarget, routesNow, workOf } from './work-of.ts';

export interface ReconcilerParts {
  readonly ports: Ports;
  readonly activities: ActivityRecorder;
  readonly health: HealthMonitor;
  readonly backoff: RestartBackoff;
  readonly wakeFailures: WakeFailures;
  readonly lingering: Lingering;
  readonly keeper: Pick<DataKeeper, 'settle'>;
}

export interface ReconcileOptions {
  readonly activity: RunningActivity;
  /** The deployment whose plans these are; undefined where none asked for it. */
  readonly deployment: DeploymentId | undefined;
  /** `rest`: nodes that crash again and again are left as they are until their next start is due. */
  readonly crashed: 'start' | 'rest';
  /** What the first plan copies the data as, where it lets all requests wait. */
  readonly held?: HeldData | undefined;
}

export interface ReconcileTimes {
  readonly planMs: number;
  readonly applyMs: number;
}

/** Plans in a row after which the world is given up on for now: it moves faster than we do. */
const maxRounds = 8;
const emptySpec: EnvironmentSpec = { v: 1, release: '' as EnvironmentSpec['release'], nodes: [], routes: [] };

/** The one loop for one environment: observe, plan, apply, until the plan is empty. The caller holds the environment's lane. */
export class Reconciler {
  readonly #ports: Ports;
  readonly #activities: ActivityRecorder;
  readonly #health: HealthMonitor;
  readonly #backoff: RestartBackoff;
  readonly #wakeFailures: WakeFailures;
  readonly #lingering: Lingering;
  readonly #keeper: Pick<DataKeeper, 'settle'>;
  readonly #networks = new Map<EnvironmentId, EnvironmentNetwork>();
  readonly #limits: DataLimits;
  /** Environments whose network policy this process has put in force. */
  readonly #enforced = new Set<EnvironmentId>();

  constructor(parts: ReconcilerParts) {
    this.#ports = parts.ports;
    this.#activities = parts.activities;
    this.#health = parts.health;
    this.#backoff = parts.backoff;
    this.#wakeFailures = parts.wakeFailures;
    this.#lingering = parts.lingering;
    this.#keeper = parts.keeper;
    this.#limits = new DataLimits(parts.ports.volumes);
  }

  /** Resolves when the world is as desired; throws the failure of the first step that failed. */
  async reconcile(id: EnvironmentId, options: ReconcileOptions): Promise<ReconcileTimes> {
    const { clock } = this.#ports;
    let planMs = 0;
    let applyMs = 0;
    for (let round = 0; round < maxRounds; round += 1) {
      const startedMs = clock.monotonicMs();
      // What is held is released by the end of the first.
      const { plan, observed, environment } = await this.#plan(id, round === 0 ? options : { ...options, held: undefined });
      planMs += clock.monotonicMs() - startedMs;
      if (plan.steps.length === 0) return { planMs, applyMs };
      this.#show(plan, options, round);
      const applyStartedMs = clock.monotonicMs();
      await this.#apply(environment, plan, observed, options);
      await this.#limits.set(environment);
      applyMs += clock.monotonicMs() - applyStartedMs;
    }
    throw new CoppiceError('not-ready', 'the environment does not settle: something changes it as fast as it is repaired');
  }

  /**
   * Looks, and repairs where something is not as desired, with an activity that says what. Finishes deletions. Answers after how many
   * milliseconds to look again: at a node that crashed and waits for its next start, at an old one that lingers.
   */
  async repair(id: EnvironmentId, signal: AbortSignal): Promise<number | undefined> {
    const left = this.#ports.store.environments.get(id);
    if (left) await settleLeft(this.#ports, left);
    const environment = this.#ports.store.environments.get(id);
    if (!environment) return undefined;
    const activities = this.#activities;
    const { plan, observed } = await this.#plan(id, { crashed: 'rest' });
    if (observed.rules === 'foreign' && observed.network && environment.desired.exists) {
      const cause = "somebody changed the rules of the environment's network";
      await recordedRepair({ activities, environment, cause, signal }, async () => await this.#putRulesBack(environment, observed));
    } else if (plan.steps.length === 0 && observed.network && !this.#enforced.has(id)) await this.#enforce(environment, observed);
    if (plan.steps.length > 0) {
      const cause = plan.changes.some((change) => change.action !== 'keep')
        ? 'the environment was not as desired'
        : `not as desired around the nodes: ${plan.steps.map(({ kind }) => kind).join(', ')}`;
      await recordedRepair({ activities, environment, cause, signal }, async (activity) => {
        try {
          await this.reconcile(id, { activity, deployment: undefined, crashed: 'rest' });
        } catch (error) {
          if (!signal.aborted) {
            await giveUpMoved(this.#ports, environment, error);
            await giveUpData(this.#ports, id, error);
          }
          throw error;
        }
      });
    }
    if (environment.desired.exists) {
      finishMoved(this.#ports.store, environment);
      await this.#limits.set(environment);
      await this.#settleData(id, plan.steps.length === 0 ? observed.volumes : undefined);
    } else {
      await this.#finishDeletion(environment);
      await this.forget(id);
    }
    return this.nextLookMs(id);
  }

  /** What a server that died had no time for: names of volumes that are settled, and what of them is in the trash. */
  async #settleData(id: EnvironmentId, volumes: ObservedEnvironment['volumes'] | undefined): Promise<void> {
    const environment = this.#ports.store.environments.get(id);
    if (environment?.live === undefined || environment.desired.attempt !== environment.live) return;
    settleMoves(this.#ports.store, id);
    await this.#keeper.settle(id, volumes);
  }

  /** Milliseconds until something is due that nothing else tells of; undefined where nothing is. */
  nextLookMs(id: EnvironmentId): number | undefined {
    const waits = [this.#backoff.waitMs(id), this.#lingering.waitMs(id)].filter((ms) => ms !== undefined);
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  /** Whether a node that crashed waits for its next start: until then not all is as desired. */
  rests(id: EnvironmentId): boolean {
    return this.#backoff.waitMs(id) !== undefined;
  }

  /** A deletion that a server began and did not live to end takes its branch along; one that moved since then stays. */
  async #finishDeletion({ id, project }: EnvironmentRecord): Promise<void> {
    const deletions = this.#ports.store.intents.list().filter((intent) => intent.environment === id && isZero(intent.next));
    for (const { ref, previous } of deletions) {
      await deleteBranch(this.#ports, { project, ref, previous }).catch((error: unknown) => {
        if (!isCoppiceError(error, 'conflict')) throw error;
        this.#ports.log('deletion.branch-moved', { environment: id, ref });
      });
    }
  }

  /** Drops the record of an environment of which nothing is left. */
  async forget(id: EnvironmentId): Promise<void> {
    const { store } = this.#ports;
    this.#networks.delete(id);
    this.#limits.forget(id);
    this.#enforced.delete(id);
    this.#backoff.forget(id);
    this.#lingering.forget(id);
    this.#wakeFailures.forget(id);
    this.#health.watch(id, []);
    store.transaction(() => {
      supersedeIntents(store, id);
      // What was put aside in its volumes went where they went.
      for (const { id: record, folder } of store.trash.list({ environment: id })) if (folder !== undefined) store.trash.delete(record);
      store.environments.delete(id);
    });
  }

  async #plan(
    id: EnvironmentId,
    { crashed, held }: Pick<ReconcileOptions, 'crashed' | 'held'>,
  ): Promise<{ readonly plan: Plan; readonly observed: ObservedEnvironment; readonly environment: EnvironmentRecord }> {
    const { store } = this.#ports;
    const environment = store.environments.get(id);
    if (!environment) throw new CoppiceError('not-found', `the environment ${id} is gone`);
    const { desired } = environment;
    const all = await this.#awake(id, desired.spec);
    const observed = await this.#lingering.hide(id, desired, all);
    this.#health.watch(id, watchable(desired.spec, observed.generations));
    const counted = this.#backoff.rest(id, observed.generations);
    const resting = crashed === 'rest' ? counted : undefined;
    const previous = liveOf(store, environment)?.spec;
    const jobs = desired.attempt ? store.environments.jobs(desired.attempt) : [];
    const routes = this.#wantedRoutes(environment, observed);
    const copiesHeld = held !== undefined;
    const plan = makePlan({ desired, observed, previous, jobs, routes, sanitizer: sanitizerOf(store, desired), resting, copiesHeld });
    const stray = strayJobs(observed.jobs, { attempt: desired.attempt, steps: plan.steps });
    await Promise.all(stray.map((job) => this.#ports.engine.removeJob(id, job)));
    return { plan, observed, environment };
  }

  /** The world; of what is frozen nobody takes a copy any more, since that is done in this lane. */
  async #awake(id: EnvironmentId, spec: EnvironmentSpec | undefined): Promise<ObservedEnvironment> {
    const observed = await observe(this.#ports, this.#health, id, spec);
    if (!observed.frozen) return observed;
    this.#ports.log('environment.thawed', { environment: id });
    await this.#ports.engine.thaw(id);
    return await observe(this.#ports, this.#health, id, spec);
  }

  /** Digest of the table for what serves now; what a plan changes is switched by the plan itself. */
  #wantedRoutes(environment: EnvironmentRecord, observed: ObservedEnvironment): ReturnType<typeof routeTableDigest> | undefined {
    const { spec } = environment.desired;
    if (!spec) return undefined;
    const serving = servingNow(spec, observed.generations);
    const around = { ports: this.#ports, asleep: this.#asleep(environment) };
    const hidden = new Set(unconfirmed(environment, observed));
    const generations = observed.generations.map((generation) => {
      return { ...generation, instances: generation.instances.filter(({ id }) => !hidden.has(id)) };
    });
    return routeTableDigest(routesNow(spec, environment, around, { generations, serving, held: new Set() }));
  }

  #asleep({ id }: EnvironmentRecord): AsleepTarget {
    const text = this.#wakeFailures.reason(id);
    return text === undefined ? { kind: 'hold', cause: 'suspended' } : { kind: 'notice', notice: 'unavailable', text };
  }

  #show(plan: Plan, { activity, deployment }: ReconcileOptions, round: number): void {
    if (round > 0) activity.say('the world moved; planned again:');
    for (const line of describePlan(plan)) activity.say(line);
    if (deployment) {
      const changes = plan.changes.filter((change) => change.action !== 'keep').length;
      this.#ports.store.deployments.addPlan(deployment, { digest: plan.digest, changes, json: JSON.stringify(plan) });
    }
  }

  async #apply(
    environment: EnvironmentRecord,
    plan: Plan,
    observed: ObservedEnvironment,
    { activity, held }: ReconcileOptions,
  ): Promise<void> {
    const { engine, volumes, router, clock, settings } = this.#ports;
    const { stepLimits } = settings;
    const work = await this.#work(environment, observed, { activity, held });
    this.#enforced.add(environment.id);
    const nowMs = clock.monotonicMs.bind(clock);
    const serving = servingNow(environment.desired.spec ?? emptySpec, observed.generations);
    const perform = createPerformer({
      engine,
      volumes,
      router,
      work,
      serving,
      unconfirmed: unconfirmed(environment, observed),
      nowMs,
      ...stepLimits,
    });
    const results = await executePlan({
      plan,
      perform,
      signal: activity.signal,
      nowMs,
      ...stepLimits,
      onStep: (step, event) => this.#trace(activity, step, event),
    });
    const late = await perform.settle();
    activity.signal.throwIfAborted();
    const failed = results.find((result) => result.state === 'failed');
    if (failed) throw failed.error;
    if (late !== undefined) throw late;
  }

  /** The policy is no part of what is observed: a server that was killed may have left an old one, so each puts it in force once. */
  async #enforce(environment: EnvironmentRecord, observed: ObservedEnvironment): Promise<void> {
    const { generations } = observed;
    const work = await this.#work(environment, observed, { activity: { say: () => undefined } });
    const serving = servingNow(environment.desired.spec ?? emptySpec, generations);
    await this.#ports.engine.applyPolicy(environment.id, work.policy({ generations, serving, jobs: new Map() }));
    this.#enforced.add(environment.id);
  }

  async #putRulesBack(environment: EnvironmentRecord, observed: ObservedEnvironment): Promise<void> {
    await this.#ports.engine.ensureNetwork(environment.id);
    await this.#enforce(environment, observed);
  }

  async #work(
    environment: EnvironmentRecord,
    observed: ObservedEnvironment,
    { activity, held }: { readonly activity: Pick<RunningActivity, 'say'>; readonly held?: HeldData | undefined },
  ): Promise<EnvironmentWork> {
    return workOf({
      ports: this.#ports,
      health: this.#health,
      environment,
      dataGeneration: observed.dataGeneration,
      spec: environment.desired.spec ?? emptySpec,
      previous: liveOf(this.#ports.store, environment)?.spec,
      deployment: attemptOf(this.#ports.store, environment),
      network: await this.#network(environment),
      activity,
      heldCopy: held,
      asleep: this.#asleep(environment),
      lingering: this.#lingering,
    });
  }

  #trace(activity: RunningActivity, step: Step, event: 'begin' | StepResult): void {
    if (event === 'begin') return;
    const { state, durationMs, error } = event;
    this.#ports.measure?.({ kind: 'step-ended', step: step.kind, state, durationMs });
    activity.log('step', { step: step.id, state, durationMs: Math.round(durationMs), error });
  }

  /** Asked once: an environment's subnets stay while it lives. A deleted one needs none. */
  async #network(environment: EnvironmentRecord): Promise<EnvironmentNetwork> {
    if (!environment.desired.exists) return { subnet: '', addressBlock: '0.0.0.0/24' };
    const known = this.#networks.get(environment.id) ?? (await this.#ports.engine.ensureNetwork(environment.id));
    this.#networks.set(environment.id, known);
    return known;
  }
}

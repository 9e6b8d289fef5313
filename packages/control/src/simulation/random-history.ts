import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { EnvironmentId, NodeName, SnapshotId } from '@coppice/model';
import type { RunningControlPlane } from '../create-control-plane.ts';
import { probedByCommand } from './catalog-in-memory.ts';
import { DataWatch } from './data-watch.ts';
import { Faults, randomClimate } from './faults.ts';
import { isKill, RandomLife } from './random-life.ts';
import { RandomOperations } from './random-operations.ts';
import { shopBehaviour } from './random-shop.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedServer } from './simulated-server.ts';
import { settled, Turns } from './turns.ts';
import { unsettled } from './unsettled.ts';
import { unsettledData, unsweptData } from './unsettled-data.ts';
import { VirtualTime } from './virtual-time.ts';
import { type Violation, WorldWatch } from './world-watch.ts';

/** What came of one seed. */
export interface HistoryResult {
  readonly seed: number;
  /** Changes of the simulated world, after each of which it was looked at. */
  readonly effects: number;
  readonly operations: Readonly<Record<string, number>>;
  readonly kills: number;
  /** What the control plane did to the end, by kind of activity. */
  readonly succeeded: Readonly<Record<string, number>>;
  /** Calls by which data was copied, replaced, renamed or put away, and jobs that sanitised it. */
  readonly data: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  /** Empty where all held; else the first that did not, after which the history was broken off. */
  readonly violations: readonly Violation[];
  /** Each decision in order: the same for the same seed. */
  readonly trace: readonly string[];
}

/** Writes after which other things may be desired. */
const wishes = new Set(['create', 'setDesired', 'setLive', 'delete']);
const leastEffects = 30;
/** Within it a control plane has looked at all there is. */
const lookMs = 3_000;
/** Steps after which a history that begins nothing new any more is given up on. */
const mostSteps = 60_000;
/** Virtual time within which a world in which nothing goes wrong any more comes to rest. */
const restWithinMs = 20 * 60_000;

/** Runs the history of one seed in this thread, whose timers it takes over meanwhile. Equal seeds give equal results. */
export async function runHistory(seed: number): Promise<HistoryResult> {
  const time = new VirtualTime();
  const restore = time.install();
  const ends: (() => void)[] = [];
  const history = new RandomHistory(seed, time, { after: (end) => void ends.push(end) });
  const onUnhandled = (error: unknown): void => history.unhandled(error);
  process.on('unhandledRejection', onUnhandled);
  try {
    return await history.run();
  } finally {
    process.off('unhandledRejection', onUnhandled);
    for (const end of ends) end();
    restore();
  }
}

class RandomHistory {
  readonly #seed: number;
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #turns: Turns;
  readonly #server: SimulatedServer;
  readonly #watch: WorldWatch;
  readonly #data: DataWatch;
  readonly #faults: Faults;
  readonly #operations: RandomOperations;
  #life: RandomLife | undefined;
  #plane: RunningControlPlane | undefined;
  #effects = 0;
  /** All that changed the world, but for the policy, which each life puts in force once. */
  readonly #done: string[] = [];
  #kills = 0;
  #steps = 0;
  #engineBackAt: number | undefined;
  #mayDie = true;
  /** Whether an activity runs, as far as nothing was written since that was looked up. */
  #runs: boolean | undefined;

  constructor(seed: number, time: VirtualTime, test: { after(end: () => void): void }) {
    this.#seed = seed;
    this.#time = time;
    this.#random = new SeededRandom(seed);
    this.#turns = new Turns(this.#random);
    this.#server = new SimulatedServer(test, {
      clock: { now: () => time.now(), monotonicMs: () => time.nowMs },
      catalog: probedByCommand(),
      behaviourOf: shopBehaviour,
      store: 'remembered',
      folder: existsSync('/dev/shm') ? '/dev/shm' : tmpdir(),
      driver: this.#random.pick(['btrfs', 'copy'] as const),
    });
    this.#watch = new WorldWatch(this.#server);
    this.#data = new DataWatch(this.#server, this.#watch);
    this.#faults = new Faults(randomClimate(this.#random), this.#random);
    const { data, ...parts } = { server: this.#server, random: this.#random, turns: this.#turns, watch: this.#watch, data: this.#data };
    this.#operations = new RandomOperations({ ...parts, data });
  }

  async run(): Promise<HistoryResult> {
    this.#watch.addForeign(this.#server.engine.addForeign('e_ofsomebodyelse0' as EnvironmentId, 'n0' as NodeName));
    this.#serve();
    await this.#live();
    await this.#comeToRest();
    this.#judgeData();
    if (this.#watch.violations.length === 0) await this.#doNothingTwice();
    this.#plane?.stop();
    return {
      seed: this.#seed,
      effects: this.#effects,
      operations: this.#operations.counts,
      kills: this.#kills,
      succeeded: this.#succeeded(),
      data: this.#data.counts,
      faults: this.#faults.counts,
      violations: this.#watch.violations.slice(0, 1).map(({ invariant, detail }) => ({ invariant, detail: this.#turns.plain(detail) })),
      trace: this.#turns.trace,
    };
  }

  /** A failure that nobody caught would end the server; that a dead one could not go on is nothing. */
  unhandled(error: unknown): void {
    if (isKill(error)) return;
    this.#watch.violate('no failure is left uncaught', error instanceof Error ? (error.stack ?? error.message) : String(error));
  }

  /** Operations, kills and faults until there were enough. */
  async #live(): Promise<void> {
    const wanted = this.#random.between(2, 9);
    while (this.#operations.total < wanted || this.#effects < leastEffects) {
      if (!(await this.#step())) return;
      if (!this.#life || this.#life.dead) this.#mayServe();
      else if (this.#random.chance(this.#isBusy() ? 0.008 : 0.4)) this.#begin();
    }
  }

  /** Nothing goes wrong and nobody asks for anything any more. */
  async #comeToRest(): Promise<void> {
    this.#turns.note('— the weather is fair');
    this.#faults.stop();
    this.#mayDie = false;
    this.#life?.spare();
    this.#engineBack();
    if (!this.#life || this.#life.dead) this.#serve();
    const latestMs = this.#time.nowMs + restWithinMs;
    // What nothing names is swept by a server at its start, and from time to time.
    let sweeps = this.#random.chance(0.9);
    while (await this.#step()) {
      if (this.#isBusy()) continue;
      const [wrong, unswept] = [await this.#wrong(), await unsweptData(this.#server)];
      if (!wrong && !unswept) return;
      if (sweeps && !wrong) {
        sweeps = false;
        this.#life?.end();
        this.#serve();
      }
      if (this.#time.nowMs > latestMs) return this.#watch.violate('a history ends as desired', wrong ?? unswept ?? '');
    }
  }

  #judgeData(): void {
    const lost = this.#data.lost();
    if (lost) this.#watch.violate('no acknowledged write vanishes', lost);
    const { store } = this.#server.ports;
    const kept = this.#server.volumes.kept();
    for (const id of this.#operations.promised)
      if (!store.backups.get(id as SnapshotId) || !kept.has(id as SnapshotId))
        this.#watch.violate('a backup that was promised is there', `${id} is gone`);
  }

  async #wrong(): Promise<string | undefined> {
    return (
      (await unsettled(this.#server, this.#operations.unawaited)) ??
      (await unsettledData(this.#server)) ??
      this.#operations.open.map((what) => `${what} was never answered`)[0]
    );
  }

  /** A control plane that is started anew looks at every environment, and knows nothing of what was. */
  async #doNothingTwice(): Promise<void> {
    for (const round of ['first', 'second']) {
      this.#life?.end();
      const before = { done: this.#done.length, told: this.#told() };
      this.#serve();
      const untilMs = this.#time.nowMs + lookMs;
      while (this.#time.nowMs < untilMs || this.#isBusy()) if (!(await this.#step())) return;
      const done = this.#done.slice(before.done);
      const told = this.#told() - before.told;
      if (done.length + told === 0) continue;
      this.#watch.violate('two reconciles in a row do nothing', `the ${round} did [${done.join(', ')}] in ${told} activities`);
      return;
    }
  }

  #succeeded(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { kind, state } of this.#server.ports.store.activities.list({ limit: 10_000 }))
      if (state === 'succeeded') counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }

  #told(): number {
    return this.#server.ports.store.activities.list({}).length;
  }

  /** One decision of what comes next; false where the history is over. */
  async #step(): Promise<boolean> {
    await settled();
    this.#steps += 1;
    if (this.#watch.violations.length > 0) return false;
    if (this.#steps > mostSteps) {
      this.#watch.violate('a history ends as desired', `it goes on after ${mostSteps} steps`);
      return false;
    }
    if (this.#engineBackAt !== undefined && this.#steps >= this.#engineBackAt) this.#engineBack();
    if (!this.#isBusy()) this.#watch.clear();
    if (this.#random.chance(0.05)) this.#write();
    if (this.#turns.waiting > 0 && !this.#random.chance(0.01)) this.#turns.next();
    else if (!(this.#random.chance(0.3) && this.#operations.endJob())) this.#time.advance();
    await settled();
    return this.#watch.violations.length === 0;
  }

  #write(): void {
    const what = this.#data.write(this.#random);
    if (what) this.#turns.note(`— ${what}`);
  }

  #isBusy(): boolean {
    if (this.#turns.waiting > 0) return true;
    this.#runs ??= this.#server.ports.store.activities.list({ state: 'running', limit: 1 }).length > 0;
    return this.#runs;
  }

  #wrote(what: string): void {
    this.#runs = undefined;
    if (wishes.has(what)) this.#watch.wished();
  }

  #begin(): void {
    const kind = this.#operations.begin(this.#plane);
    if (kind === 'planeKilled') this.#life?.end();
    if (kind === 'engineAway') {
      this.#server.engine.reachable('down');
      this.#engineBackAt = this.#steps + this.#random.between(5, 80);
    }
  }

  #engineBack(): void {
    this.#engineBackAt = undefined;
    this.#server.engine.reachable('up');
  }

  /** A while after a kill somebody starts the server again; until then the world may come to harm. */
  #mayServe(): void {
    if (this.#random.chance(0.2)) this.#operations.begin(undefined);
    else if (this.#random.chance(0.5)) this.#serve();
  }

  #serve(): void {
    this.#turns.note('— served');
    const life = new RandomLife({
      endsAt: this.#mayDie && this.#random.chance(0.7) ? this.#random.between(1, 400) : Number.POSITIVE_INFINITY,
      turns: this.#turns,
      faults: this.#faults,
      watch: {
        changed: (call) => {
          this.#effects += 1;
          if (call.name !== 'apply-policy') this.#done.push(`${call.port} ${call.name}`);
          this.#watch.judge(call);
          this.#data.judge(call);
        },
        misled: () => this.#watch.misled(),
        wrote: (what) => this.#wrote(what),
      },
      onEnd: () => this.#killed(),
    });
    const plane = this.#server.serve(life.ports(this.#server.ports));
    this.#life = life;
    this.#plane = plane;
    this.#server.engine.onEffect(life.onEffect);
    this.#server.volumes.onHalf(life.onHalf);
    this.#server.volumes.reopen();
    this.#data.look();
    void plane.start().catch((error: unknown) => {
      this.#turns.note(`the start failed: ${error instanceof Error ? error.message : String(error)}`);
      life.end();
    });
  }

  #killed(): void {
    this.#kills += 1;
    this.#turns.drop();
    this.#time.clear();
    this.#plane?.stop();
    this.#time.clear();
    this.#plane = undefined;
    this.#operations.hangUp();
    this.#watch.wished();
  }
}

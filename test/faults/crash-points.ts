import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../e2e/harness.ts';
import type { CrashKind, Outcome } from './crash-kind.ts';
import type { FaultRow } from './fault-row.ts';
import type { FaultServer } from './fault-server.ts';
import { SteadyLoad } from './steady-load.ts';
import { stateOf, wrongWith } from './whole.ts';

export interface CrashOptions {
  /** The first effect to be killed after; 1 is the very first. */
  readonly first: number;
  /** 1: the server is killed at every effect; 6: at every sixth. */
  readonly every: number;
  /** Told of each kill as it is survived. */
  readonly print: (line: string) => void;
}

/** From the start of the process until it has settled what the dead one left, and repairs. */
const startLimitMs = 5_000;
/** Until all is whole, what has to start anew included. */
const wholeLimitMs = 10_000;
const maxFailures = 3;
/** A server that kills itself answers no more, and has written its state, a moment before it is gone. */
const dyingMs = 200;

/** Kills the server after the first, second, … effect of a change, until the change has no more, and starts it again each time. */
export async function crashAtEachEffect(faulty: FaultServer, kind: CrashKind, { first, every, print }: CrashOptions): Promise<FaultRow> {
  const lost: string[] = [];
  const load = new SteadyLoad({ address: faulty.server.routerAddress, host: kind.serves, perSecond: 20, path: '/' });
  let tried = 0;
  let longestMs = 0;
  let longestStartMs = 0;
  load.start();
  for (let effect = first; lost.length < maxFailures; effect += every) {
    try {
      const recovery = await crashAt(faulty, kind, effect);
      if (recovery === undefined) break;
      tried += 1;
      longestMs = Math.max(longestMs, recovery.ms);
      longestStartMs = Math.max(longestStartMs, recovery.startMs);
      const times = `ready in ${Math.round(recovery.startMs)} ms, whole in ${Math.round(recovery.ms)} ms`;
      print(`${kind.name}: killed after ${effect} ${recovery.effect}, ${times}`);
      if (recovery.startMs > startLimitMs * faulty.slack || recovery.ms > wholeLimitMs * faulty.slack)
        lost.push(`killed after ${effect} ${recovery.effect}: ${times}`);
    } catch (error) {
      tried += 1;
      lost.push(`killed after ${effect}: ${error instanceof Error ? error.message : String(error)}`);
      print(`${kind.name}: ${lost.at(-1)}`);
      await revive(faulty);
    }
  }
  const report = await load.stop();
  const unanswered = [...report.lost, ...((await kind.lostOf?.(report.posted)) ?? [])];
  for (const line of unanswered) print(`${kind.name}: ${line}`);
  lost.push(...unanswered);
  return { group: 'crash', name: kind.name, tried, requests: report.sent, lost, longestMs, longestStartMs };
}

export interface RecoveryOptions extends Pick<CrashOptions, 'every' | 'print'> {
  /** The effect of the change after which the server is killed for the first time. */
  readonly effect: number;
}

/** Kills the server in a change, and the next one after the first, second, … effect of its recovery, until one outlives that. */
export async function crashInRecovery(faulty: FaultServer, kind: CrashKind, options: RecoveryOptions): Promise<FaultRow> {
  const { effect, every, print } = options;
  const name = `recovery from: ${kind.name}`;
  const load = new SteadyLoad({ address: faulty.server.routerAddress, host: kind.serves, perSecond: 20, path: '/' });
  const lost: string[] = [];
  let tried = 0;
  let longestMs = 0;
  load.start();
  try {
    for (let second = 1; ; second += every) {
      await kind.prepare();
      await whole(faulty);
      faulty.killAfter(effect);
      await kind.act();
      await faulty.dead();
      faulty.takeEffects();
      faulty.killAfter(second);
      await outlived(faulty);
      faulty.spare();
      await pause(dyingMs);
      const isOver = faulty.isAlive;
      const died = faulty.takeEffects().at(-1);
      const startedMs = performance.now();
      if (!isOver) await faulty.launch();
      await whole(faulty);
      if (!isOver) longestMs = Math.max(longestMs, performance.now() - startedMs);
      await accepted(faulty, kind, await kind.repeat(), 'made again');
      if (isOver) break;
      tried += 1;
      print(`${name}: killed again after ${second} ${died}, whole in ${Math.round(performance.now() - startedMs)} ms`);
    }
  } catch (error) {
    lost.push(`the ${tried + 1}th: ${error instanceof Error ? error.message : String(error)}`);
    await revive(faulty);
  }
  const report = await load.stop();
  return { group: 'crash', name, tried, requests: report.sent, lost: [...lost, ...report.lost], longestMs };
}

/** For the next try, after one that failed. */
async function revive(faulty: FaultServer): Promise<void> {
  faulty.spare();
  await pause(dyingMs);
  if (!faulty.isAlive) await faulty.launch();
}

/** Starts the server, and resolves once all is whole or it is dead. */
async function outlived(faulty: FaultServer): Promise<void> {
  try {
    await faulty.launch();
    await settled(faulty, () => !faulty.isAlive);
  } catch (error) {
    await pause(dyingMs);
    if (faulty.isAlive) throw error;
  }
}

interface Recovery {
  /** The last effect before the death. */
  readonly effect: string;
  /** Until the server was ready, all intents settled. */
  readonly startMs: number;
  readonly ms: number;
}

/** Undefined where the change had fewer effects. */
async function crashAt(faulty: FaultServer, kind: CrashKind, effect: number): Promise<Recovery | undefined> {
  const { server } = faulty;
  await kind.prepare();
  await whole(faulty);
  faulty.takeEffects();
  faulty.killAfter(effect);
  const outcome = await kind.act();
  await ended(faulty);
  faulty.spare();
  await pause(dyingMs);
  if (faulty.isAlive) {
    await accepted(faulty, kind, outcome);
    return undefined;
  }
  const name = faulty.takeEffects().at(-1) ?? 'nothing';
  const startedMs = performance.now();
  await faulty.launch();
  const startMs = performance.now() - startedMs;
  await whole(faulty);
  const ms = performance.now() - startedMs;
  if (outcome === 'accepted') await accepted(faulty, kind, outcome, 'what the client was told is not true');
  if (outcome === 'refused') throw new Error(`after ${name}: it was refused, though nothing was wrong with it`);
  const mixed = await kind.neither?.();
  if (mixed !== undefined) throw new Error(`after ${name}: ${mixed}`);
  const again = await kind.repeat();
  await until(() => stateOf(server).unfinished.length === 0, { what: 'nothing is under way' });
  await accepted(faulty, kind, again, `after ${name}, made again`);
  return { effect: name, startMs, ms };
}

/** Until nothing is under way, or the server is dead. */
async function ended(faulty: FaultServer): Promise<void> {
  while (faulty.isAlive && stateOf(faulty.server).unfinished.length > 0) await pause(10);
}

async function accepted(faulty: FaultServer, kind: CrashKind, outcome: Outcome, when = 'undisturbed'): Promise<void> {
  if (outcome !== 'accepted') throw new Error(`${when}: it was ${outcome}`);
  await whole(faulty);
  const wrong = await kind.wrong();
  if (wrong !== undefined) throw new Error(`${when}: ${wrong}`);
}

/** Resolves once the server is at rest and all is as it shall be; throws what is wrong where that takes longer than it may by far. */
export async function whole(faulty: FaultServer): Promise<void> {
  await settled(faulty, () => false);
}

/** The same, or until nobody waits for that any more. */
async function settled({ server, slack }: FaultServer, isPointless: () => boolean): Promise<void> {
  let wrong: string | undefined;
  const isWhole = async (): Promise<boolean> => {
    if (isPointless()) return true;
    wrong = await wrongWith(server);
    return wrong === undefined;
  };
  await until(isWhole, { what: 'all is whole', withinMs: 20_000 * slack, everyMs: 25 }).catch((error: unknown) => {
    throw new Error(wrong ?? String(error), { cause: error });
  });
}

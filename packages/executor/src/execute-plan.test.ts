import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '@coppice/model';
import { nodeName } from '@coppice/model/builders';
import type { Plan, Step } from '@coppice/plan';
import { type Execution, executePlan } from './execute-plan.ts';
import { SimulatedCrash } from './simulated-crash.ts';

/** A plan of steps by name, each with the names it waits for. */
function planOf(edges: Readonly<Record<string, readonly string[]>>): Plan {
  const steps = Object.entries(edges).map(([id, after]): Step => ({ id, after, kind: 'pull-image', node: nodeName(id) }));
  return { v: 1, digest: sha256(''), changes: [], steps };
}

/** Steps that end when the test says so. */
class Stage {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, (error?: Error) => void>();
  readonly aborting = new AbortController();

  run(plan: Plan, rest: Partial<Execution> = {}): ReturnType<typeof executePlan> {
    let tick = 0;
    const perform = (step: Step): Promise<void> => {
      this.begun.push(step.id);
      return new Promise((resolve, reject) => this.#ends.set(step.id, (error) => (error ? reject(error) : resolve())));
    };
    return executePlan({ plan, perform, signal: this.aborting.signal, nowMs: () => tick++, ...rest });
  }

  async end(id: string, error?: Error): Promise<void> {
    this.#ends.get(id)?.(error);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('what does not depend on each other runs at once, the rest when all before it is done', async () => {
  const stage = new Stage();
  const done = stage.run(planOf({ a: [], b: [], c: ['a', 'b'] }));
  assert.deepEqual(stage.begun, ['a', 'b']);
  await stage.end('a');
  assert.deepEqual(stage.begun, ['a', 'b']);
  await stage.end('b');
  assert.deepEqual(stage.begun, ['a', 'b', 'c']);
  await stage.end('c');
  assert.deepEqual(
    (await done).map(({ id, state }) => `${id} ${state}`),
    ['a done', 'b done', 'c done'],
  );
});

test('no more run at once than allowed', async () => {
  const stage = new Stage();
  void stage.run(planOf({ a: [], b: [], c: [] }), { concurrency: 2 });
  assert.deepEqual(stage.begun, ['a', 'b']);
  await stage.end('b');
  assert.deepEqual(stage.begun, ['a', 'b', 'c']);
});

test('a failure stops what depends on it, names itself there, and lets the rest go on', async () => {
  const stage = new Stage();
  const done = stage.run(planOf({ a: [], b: [], c: ['a'], d: ['c', 'b'], e: ['b'] }));
  const error = new Error('no');
  await stage.end('a', error);
  await stage.end('b');
  await stage.end('e');
  assert.deepEqual(
    (await done).map(({ durationMs, ...result }) => result),
    [
      { id: 'a', state: 'failed', error },
      { id: 'b', state: 'done' },
      { id: 'c', state: 'skipped', because: ['a'] },
      { id: 'd', state: 'skipped', because: ['a'] },
      { id: 'e', state: 'done' },
    ],
  );
});

test('after the signal nothing begins; what runs ends and is cancelled where it gives up', async () => {
  const stage = new Stage();
  const done = stage.run(planOf({ a: [], b: [], c: ['a'] }));
  stage.aborting.abort();
  await stage.end('a');
  await stage.end('b', new Error('aborted'));
  assert.deepEqual(
    (await done).map(({ id, state }) => `${id} ${state}`),
    ['a done', 'b cancelled', 'c cancelled'],
  );
});

test('a change of data is waited for where other steps are given up on', async () => {
  const stage = new Stage();
  const change: Step = { id: 'moves', after: [], kind: 'move-volumes', moves: [] };
  const plan = planOf({ a: [] });
  const givenUp = Promise.withResolvers<string>();
  const onStep = ({ id }: Step, event: unknown): void => void (event !== 'begin' && givenUp.resolve(id));
  const done = stage.run({ ...plan, steps: [change, ...plan.steps] }, { graceMs: 0, onStep });
  stage.aborting.abort(new Error('cancelled'));
  assert.equal(await Promise.race([givenUp.promise, done.then(() => 'all')]), 'a');
  await stage.end('moves');
  assert.deepEqual(
    (await done).map(({ id, state }) => `${id} ${state}`),
    ['moves done', 'a cancelled'],
  );
});

test('an empty plan is done at once', async () => {
  assert.deepEqual(await new Stage().run(planOf({})), []);
});

test('a simulated crash ends all at once, and nothing is told or begun after it', async () => {
  const stage = new Stage();
  const told: string[] = [];
  const crashing = stage.run(planOf({ a: [], b: [], c: ['b'] }), {
    onStep: (step, event) => told.push(`${step.id} ${event === 'begin' ? event : event.state}`),
    onEffect: (moment, step) => {
      if (moment === 'after' && step.id === 'a') throw new SimulatedCrash('killed');
    },
  });
  const rejected = assert.rejects(crashing, SimulatedCrash);
  await stage.end('a');
  await rejected;
  await stage.end('b');
  assert.deepEqual(told, ['a begin', 'b begin']);
  assert.deepEqual(stage.begun, ['a', 'b']);
});

test('a chain of 20,000 steps is walked', async () => {
  const edges = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`s${index}`, index === 0 ? [] : [`s${index - 1}`]]));
  const results = await executePlan({
    plan: planOf(edges),
    perform: async () => undefined,
    signal: new AbortController().signal,
    nowMs: () => 0,
  });
  assert.ok(results.every(({ state }) => state === 'done'));
});

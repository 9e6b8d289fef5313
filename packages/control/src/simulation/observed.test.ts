import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CoppiceError } from '@coppice/model';
import type { Measurement } from '../measurement.ts';
import type { Ports } from '../ports.ts';
import { noCommit, SimulatedServer, shopFile } from './simulated-server.ts';

interface Observed {
  readonly server: SimulatedServer;
  readonly ports: Ports;
  readonly lines: (Readonly<Record<string, unknown>> & { readonly event: string })[];
  readonly measured: Measurement[];
}

function observed(context: TestContext): Observed {
  const server = new SimulatedServer(context);
  const lines: Observed['lines'] = [];
  const measured: Measurement[] = [];
  const log: Ports['log'] = (event, details) => lines.push({ event, ...details });
  return { server, lines, measured, ports: { ...server.ports, log, measure: (measurement) => measured.push(measurement) } };
}

test('every line about an activity names it, and its environment and deployment once there are any', async (t) => {
  const { server, ports, lines, measured } = observed(t);
  await server.push(server.serve(ports), { previous: noCommit, next: server.repository.commit(shopFile('1')) });
  const { store } = server.ports;
  const [pushed, built] = store.activities.list({});
  const [environment] = store.environments.list();
  const whole = { activity: pushed?.id, environment: environment?.id, deployment: environment?.live };
  const told = lines.map(({ event, activity, environment: where, deployment }) => ({ event, activity, environment: where, deployment }));
  const none = { environment: undefined, deployment: undefined };
  assert.deepEqual(told.slice(0, 4), [
    { event: 'activity.started', activity: built?.id, ...none },
    { event: 'activity.ended', activity: built?.id, ...none },
    { event: 'activity.started', activity: pushed?.id, ...none },
    { event: 'environment.creating', ...whole },
  ]);
  const steps = measured.filter(({ kind }) => kind === 'step-ended').length;
  assert.ok(steps > 0);
  assert.deepEqual(told.slice(4), [
    ...Array.from({ length: steps }, () => ({ event: 'step', ...whole })),
    { event: 'activity.ended', ...whole },
  ]);
  assert.deepEqual(
    measured.filter(({ kind }) => kind !== 'step-ended'),
    ['build', 'push'].map((activity) => ({ kind: 'activity-ended', activity, state: 'succeeded' })),
  );
});

test('a defect that a push meets is in the log as it was thrown, and counts as one internal failure', async (t) => {
  const { server, ports, lines, measured } = observed(t);
  const defect = new TypeError('x is undefined');
  const images: Ports['images'] = { ...ports.images, build: () => Promise.reject(defect) };
  const push = { previous: noCommit, next: server.repository.commit(shopFile('1')) };
  assert.equal(await server.push(server.serve({ ...ports, images }), push), undefined);
  assert.equal(server.said.at(-1), 'internal error: x is undefined');
  assert.deepEqual(
    lines.filter(({ error }) => error !== undefined).map(({ event, error }) => [event, error]),
    [['activity.ended', defect]],
  );
  assert.deepEqual(measured, [
    { kind: 'failure', code: 'internal' },
    { kind: 'activity-ended', activity: 'build', state: 'failed' },
  ]);
});

test('a push that is refused counts once, with the code of what failed, and the crash that was seen', async (t) => {
  const { server, ports, lines, measured } = observed(t);
  server.engine.behave('web', { exits: { exitCode: 3 } });
  await server.push(server.serve(ports), { previous: noCommit, next: server.repository.commit(shopFile('1')) });
  assert.deepEqual(
    measured.filter(({ kind }) => kind === 'failure'),
    [{ kind: 'failure', code: 'not-ready' }],
  );
  const told = lines.filter(({ error }) => error instanceof CoppiceError).map(({ event }) => event);
  assert.deepEqual(told, ['step', 'activity.ended', 'push.refused']);
});

test('looks are counted, and how long each took to see its environment as desired', async (t) => {
  const { server, ports, measured } = observed(t);
  await server.push(server.serve(), { previous: noCommit, next: server.repository.commit(shopFile('1')) });
  const settled = Promise.withResolvers<void>();
  const measure: Ports['measure'] = (measurement) => {
    measured.push(measurement);
    if (measurement.kind === 'settled') settled.resolve();
  };
  const plane = server.serve({ ...ports, measure });
  const alive = setInterval(() => undefined, 1_000);
  await plane.start();
  await settled.promise;
  clearInterval(alive);
  assert.deepEqual(
    measured.slice(0, 2).map(({ kind }) => kind),
    ['look', 'settled'],
  );
  assert.deepEqual(plane.backlog(), { changesWaiting: 0, oldestUnsettledMs: 0 });
});

test('the parts are ready once the loop runs, and a part that fails says why by itself', async (t) => {
  const { server, ports } = observed(t);
  const engine: Ports['engine'] = new Proxy(ports.engine, {
    get: (target, name) => {
      if (name === 'probe') return () => Promise.reject(new CoppiceError('engine-unreachable', 'no answer'));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const fine = { engine: undefined, router: undefined, volumes: undefined, state: undefined, loop: undefined };
  const plane = server.serve();
  assert.deepEqual(await plane.control.readiness(), { ...fine, loop: 'it has not started yet' });
  await plane.start();
  assert.deepEqual(await plane.control.readiness(), fine);
  plane.stop();
  assert.deepEqual(await plane.control.readiness(), { ...fine, loop: 'it was stopped' });
  assert.deepEqual(await server.serve({ ...ports, engine }).control.readiness(), {
    ...fine,
    engine: 'no answer',
    loop: 'it has not started yet',
  });
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { EnvironmentId } from '@coppice/model';
import type { RouterUsage } from '@coppice/router';
import { shopWithMain, temporaryStore } from '@coppice/state/testing';
import { ControlMetrics } from './metrics/control-metrics.ts';
import { type MetricSources, openMetrics } from './metrics.ts';

function metrics(context: TestContext, sources: Partial<MetricSources> = {}): () => Promise<string> {
  const { store, directory } = temporaryStore(context);
  shopWithMain(store);
  return openMetrics({
    store,
    router: { usage: async () => new Map() },
    builds: { load: () => ({ running: 2, waiting: 1 }) },
    backlog: () => ({ changesWaiting: 4, oldestUnsettledMs: 1_500 }),
    control: new ControlMetrics(),
    directory,
    ...sources,
  });
}

const valuesOf = (text: string, pattern: RegExp): readonly string[] => text.split('\n').filter((line) => pattern.test(line));

test('the reference lists exactly the metrics that there are, with type and labels', async (t) => {
  const control = new ControlMetrics();
  control.measure({ kind: 'step-ended', step: 'start', state: 'done', durationMs: 1 });
  const text = await metrics(t, { control })();
  const reference = readFileSync(new URL('../../../docs/reference/metrics.md', import.meta.url), 'utf8');
  const listed = [...reference.matchAll(/^\| `(coppice_\w+)` \| (\w+) \| (.*?) \|/gm)].map(([, name, type, labels]) => [
    name,
    type,
    labels,
  ]);
  const rendered = [...text.matchAll(/^# TYPE (\w+) (\w+)\n(.*)/gm)].map(([, name = '', type = '', sample = '']) => {
    const labels = [...sample.matchAll(/(\w+)="/g)].map(([, label]) => label).filter((label) => label !== 'le');
    return [name, type, labels.map((label) => `\`${label}\``).join(', ')];
  });
  const delay = rendered.find(([name]) => name === 'coppice_event_loop_delay_seconds');
  // None may have been measured within the life of a test.
  if (delay) delay[2] = '`quantile`';
  assert.deepEqual(rendered, listed);
});

test('what waits, runs and is held is asked when the metrics are', async (t) => {
  const usage = new Map<EnvironmentId, RouterUsage>([
    ['e_1' as EnvironmentId, { open: 3, held: 1, idleMs: 0 }],
    ['e_2' as EnvironmentId, { open: 2, held: 5, idleMs: 0 }],
  ]);
  const text = await metrics(t, { router: { usage: async () => usage } })();
  assert.deepEqual(valuesOf(text, /^coppice_(projects|environments|changes|builds|oldest|requests)/), [
    'coppice_projects 1',
    'coppice_environments 1',
    'coppice_changes_waiting 4',
    'coppice_builds_running 2',
    'coppice_builds_waiting 1',
    'coppice_oldest_unsettled_seconds 1.5',
    'coppice_requests_open 5',
    'coppice_requests_held 6',
  ]);
  assert.match(text, /^coppice_state_bytes [1-9]\d+$/m);
  assert.match(text, /^coppice_disk_free_bytes [1-9]\d+$/m);
  assert.match(text, /^coppice_process_cpu_seconds_total [\d.]+$/m);
});

test('a router that fails or hangs, and a directory that is gone, leave out their values only', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const failing = await metrics(t, { router: { usage: () => Promise.reject(new Error('down')) }, directory: '/nonexistent' })();
  const asked = Promise.withResolvers<void>();
  const usage = (): Promise<never> => {
    asked.resolve();
    return new Promise(() => undefined);
  };
  const hanging = metrics(t, { router: { usage } })();
  await asked.promise;
  t.mock.timers.tick(1_000);
  assert.deepEqual(valuesOf(failing, /^coppice_(requests|state|disk)/), []);
  assert.deepEqual(valuesOf(await hanging, /^coppice_(requests|builds)/), ['coppice_builds_running 2', 'coppice_builds_waiting 1']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest, EnvironmentId } from '@coppice/model';
import { RouteWatch } from './route-watch.ts';

type Tables = Readonly<Record<string, string>>;

function watching(...looks: readonly Tables[]): RouteWatch {
  const rest = [...looks];
  return new RouteWatch({ current: async () => new Map(Object.entries(rest.shift() ?? {})) as unknown as Map<EnvironmentId, Digest> });
}

test('a table that is another, is new or is gone is told once, and what stays is not', async () => {
  const watch = watching({ e_a: '1', e_b: '1', e_c: '1' }, { e_a: '1', e_b: '2', e_d: '1' }, { e_a: '1', e_b: '2', e_d: '1' });
  assert.deepEqual(await watch.changed(), []);
  assert.deepEqual(await watch.changed(), ['e_b', 'e_c', 'e_d']);
  assert.deepEqual(await watch.changed(), []);
});

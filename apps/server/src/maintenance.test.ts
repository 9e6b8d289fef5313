import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '@coppice/state';
import { maintainAll } from './maintenance.ts';

test('a repository that cannot be packed is logged, and the others are packed all the same', async () => {
  const projects = ['a', 'b', 'c'].map((name) => ({ id: `p_${name}`, name, createdAt: '' }));
  const packed: string[] = [];
  const logged: unknown[] = [];
  const maintain = async (id: string): Promise<void> => {
    if (id === 'p_b') throw new Error('disk full');
    packed.push(id);
  };
  await maintainAll({ maintain }, { projects: { list: () => projects } as unknown as Store['projects'] }, (event, details) =>
    logged.push([event, details]),
  );
  assert.deepEqual(packed, ['p_a', 'p_c']);
  assert.deepEqual(logged, [['repository.unpacked', { project: 'b', error: new Error('disk full') }]]);
});

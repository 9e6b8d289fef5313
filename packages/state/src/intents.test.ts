import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCoppiceError } from '@coppice/model';
import type { Intent } from './store.ts';
import { gitId, shopWithMain, temporaryStore } from './temporary-store.ts';

test('intents are listed oldest first until they are dropped, and outlive their environment', (t) => {
  const { store } = temporaryStore(t);
  const { project, main } = shopWithMain(store);
  const wanted: Omit<Intent, 'id'> = {
    project: project.name,
    environment: main.id,
    ref: 'refs/heads/main',
    previous: gitId('a'),
    next: gitId('0'),
    deployment: undefined,
    actor: 'ann',
    options: ['allow-destroy=db', 'a "quoted", option'],
    phase: 'accepted',
  };
  const first = store.intents.create(wanted);
  const second = store.intents.create({ ...wanted, ref: 'refs/heads/fix', options: [] });
  assert.match(first.id, /^i_[a-z2-7]{16}$/);
  assert.deepEqual(first, { id: first.id, ...wanted });
  store.environments.delete(main.id);
  store.intents.setPhase(first.id, 'applied');
  assert.deepEqual(store.intents.list(), [{ ...first, phase: 'applied' }, second]);
  store.intents.delete(first.id);
  store.intents.delete(first.id);
  assert.deepEqual(store.intents.list(), [second]);
});

test('an intent that is not there has no phase', (t) => {
  const { store } = temporaryStore(t);
  assert.throws(
    () => store.intents.setPhase('i_none', 'moved'),
    (error) => isCoppiceError(error, 'not-found'),
  );
});

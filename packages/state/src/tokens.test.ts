import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryStore } from './temporary-store.ts';

test('a token that was issued is known by its name, and nothing else is', (t) => {
  const { store } = temporaryStore(t);
  const [ann, ben] = [store.tokens.issue('ann'), store.tokens.issue('ben')];
  assert.match(ann, /^coppice_[A-Za-z0-9_-]{43}$/);
  const verified = [ann, ben, `${ann}x`, ann.slice(0, -1), ann.toUpperCase(), '', 'ann', `${ann}\0`].map((token) =>
    store.tokens.verify(token),
  );
  assert.deepEqual(verified, ['ann', 'ben', undefined, undefined, undefined, undefined, undefined, undefined]);
});

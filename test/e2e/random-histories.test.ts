import { test } from 'node:test';
import { assertSound, seedsBetween } from '../../packages/control/src/simulation/assert-sound.ts';

test('in 2,000 random histories with kills, faults and harm every invariant holds after each effect, and all comes to rest as desired', async (t) => {
  await assertSound(t, seedsBetween(1, 2_000));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { environmentName } from './environment-name.ts';

const label = /^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

test('a branch that is a label already keeps its name', () => {
  for (const branch of ['main', 'fix-12', 'a']) assert.equal(environmentName(branch), branch);
});

test('what a label cannot hold is replaced, and a hash of the branch keeps it apart', () => {
  assert.match(environmentName('feature/New_Thing'), /^feature-new-thing-[0-9a-f]{6}$/);
  assert.match(environmentName('123'), /^b-123-[0-9a-f]{6}$/);
  assert.match(environmentName('🎉'), /^env-[0-9a-f]{6}$/);
  assert.match(environmentName('-h'), /^h-[0-9a-f]{6}$/);
  assert.match(environmentName('$(id)'), /^id-[0-9a-f]{6}$/);
});

test('spellings that look alike are different environments', () => {
  const twins = ['x/y', 'x-y', 'x_y', 'X-Y', 'x--y', 'x y', 'caf\u00e9', 'cafe\u0301', 'cafe', '🎉', '🎊', 'a|b', 'a.b'];
  assert.equal(new Set(twins.map((branch) => environmentName(branch))).size, twins.length);
});

test('250 characters become 40, different where they differ at the end', () => {
  const [one, other] = ['1', '2'].map((end) => environmentName(`${'long-'.repeat(50)}${end}`));
  assert.ok(one !== undefined && one.length <= 40);
  assert.notEqual(one, other);
});

test('a name in use is avoided, always in the same way', () => {
  const first = environmentName('main', new Set(['main']));
  assert.match(first, /^main-[0-9a-f]{6}$/);
  const second = environmentName('main', new Set(['main', first]));
  assert.match(second, /^main-[0-9a-f]{6}$/);
  assert.notEqual(second, first);
  assert.equal(environmentName('main', new Set(['main', first])), second);
});

test('any branch becomes a DNS label of at most 40 characters that starts with a letter', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (branch) => label.test(environmentName(branch))),
    { numRuns: 500 },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { literalFormat, quoted } from './haproxy-quote.ts';

test('a quoted word is taken as it is, quotes included', () => {
  assert.equal(quoted(`it's 100% $HOME "x" \\ #`), `'it'\\''s 100% $HOME "x" \\ #'`);
});

test('no control character can be quoted', () => {
  for (const text of ['a\nb', 'a\rb', 'a\0b', 'a\tb', 'a\u0085b']) assert.throws(() => quoted(text), TypeError);
});

test('a percent sign is literal in a format', () => {
  assert.equal(literalFormat('%[src] 50%'), '%%[src] 50%%');
});

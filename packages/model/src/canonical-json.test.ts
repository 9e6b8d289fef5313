import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from './canonical-json.ts';

test('keys are sorted by code units, white space and undefined properties left out', () => {
  assert.equal(
    canonicalJson({ b: 1, a: { d: undefined, c: [true, null, undefined] }, '10': 0, '9': 0, é: 'ü' }),
    '{"10":0,"9":0,"a":{"c":[true,null,null]},"b":1,"é":"ü"}',
  );
});

test('text with quotes, control characters and lone surrogates is escaped as JSON', () => {
  assert.equal(canonicalJson('"\\\n\u0000\ud800'), '"\\"\\\\\\n\\u0000\\ud800"');
});

test('objects of many keys are sorted like those of few', () => {
  const keys = Array.from({ length: 100 }, (_, index) => `k${index}`);
  const text = `{${[...keys]
    .sort()
    .map((key) => `"${key}":0`)
    .join(',')}}`;
  assert.equal(canonicalJson(Object.fromEntries(keys.map((key) => [key, 0]))), text);
});

test('minus zero is zero; numbers that JSON cannot hold, and what is no data, are refused', () => {
  assert.equal(canonicalJson([-0, 1e21, 0.1]), '[0,1e+21,0.1]');
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 0, Symbol('s'), undefined]) {
    assert.throws(() => canonicalJson(value), TypeError);
  }
});

test('the text is JSON of an equal value, whatever the order of keys', () => {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, item]) => [key, reversed(item)]),
    );
  };
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      assert.equal(canonicalJson(reversed(value)), text);
    }),
  );
});

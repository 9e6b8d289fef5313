import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDoubtful } from './doubtful-request.ts';

test('a request with one host and a path is taken', () => {
  assert.equal(isDoubtful({ headersDistinct: { host: ['localhost:7070'] }, url: '/v1/projects?x=http://a' }), false);
});

test('two hosts, no host and a whole URL are doubtful', () => {
  const doubtful = [
    { headersDistinct: { host: ['a', 'b'] }, url: '/' },
    { headersDistinct: {}, url: '/' },
    { headersDistinct: { host: ['a'] }, url: 'http://b/' },
    { headersDistinct: { host: ['a'] }, url: '*' },
  ];
  assert.deepEqual(doubtful.map(isDoubtful), [true, true, true, true]);
});

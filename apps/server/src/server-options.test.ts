import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHostPort } from './server-options.ts';

test('a place to listen is a host or address and a port', () => {
  assert.deepEqual(['127.0.0.1:7070', '[::1]:7070', 'localhost:0', '0.0.0.0:65535'].map(parseHostPort), [
    { host: '127.0.0.1', port: 7070 },
    { host: '::1', port: 7070 },
    { host: 'localhost', port: 0 },
    { host: '0.0.0.0', port: 65_535 },
  ]);
});

for (const text of [
  '',
  '7070',
  ':7070',
  '127.0.0.1',
  '127.0.0.1:',
  '127.0.0.1:65536',
  '127.0.0.1:-1',
  '127.0.0.1:http',
  '::1:7070',
  '[::1]',
  '[]:7070',
  'http://a:80',
  '[:]:80',
  'two words:80',
]) {
  test(`"${text}" is no place to listen`, () => {
    assert.throws(() => parseHostPort(text), {
      code: 'invalid-request',
      message: `"${text}" is no address to listen on`,
      hint: 'write HOST:PORT, e.g. 127.0.0.1:7070',
    });
  });
}

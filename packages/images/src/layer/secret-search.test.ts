import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SecretSearch } from './secret-search.ts';

const secret = 'p@ss/wörd+1';
const search = new SecretSearch(['unrelated-one', secret]);
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const holding = {
  plain: secret,
  'within more': `password: ${secret}\n`,
  'base64 after 0 bytes': base64(secret),
  'base64 after 1 byte': base64(`x${secret}, and more`),
  'base64 after 2 bytes': base64(`xy${secret}`),
  'base64 after 3 bytes': base64(`xyz${secret}?`),
  base64url: Buffer.from(`ab${secret}~~~`).toString('base64url'),
  'percent-encoded': `https://me:${encodeURIComponent(secret)}@host/`,
  'percent-encoded with small digits': `https://me:${encodeURIComponent(secret).toLowerCase()}@host/`,
  'among bytes that are no text': Buffer.concat([Buffer.alloc(5000, 0xff), Buffer.from(secret), Buffer.alloc(3)]),
} as const;

for (const [form, content] of Object.entries(holding)) {
  test(`a secret is found: ${form}`, () => {
    assert.equal(search.find(Buffer.from(content)), true);
  });

  test(`a secret is found wherever the stream is cut: ${form}`, () => {
    const bytes = Buffer.from(content);
    for (const size of [1, 2, 3, 7, bytes.length - 1]) {
      const stream = search.stream();
      let found = false;
      // one buffer for all pieces, as readers of files do
      const piece = Buffer.alloc(size);
      for (let from = 0; from < bytes.length; from += size) {
        const length = bytes.copy(piece, 0, from, from + size);
        found ||= stream.add(piece.subarray(0, length));
      }
      assert.equal(found, true, `in pieces of ${size}`);
    }
  });
}

test('what only looks like a secret is not found', () => {
  for (const text of [
    '',
    'p',
    secret.slice(1),
    secret.slice(0, -1),
    secret.toUpperCase(),
    base64(secret.slice(1)),
    `${secret.slice(0, -1)}x`,
  ])
    assert.equal(search.find(Buffer.from(text)), false, text);
  const stream = search.stream();
  assert.equal(stream.add(Buffer.from(secret.slice(0, 4))), false);
  assert.equal(stream.add(Buffer.from(`-${secret.slice(4)}`)), false);
});

test('secrets under eight bytes are left, those of eight are found', () => {
  const short = new SecretSearch(['', '1234567']);
  assert.deepEqual([short.isEmpty, short.find(Buffer.from('1234567')), short.stream().add(Buffer.from('1234567'))], [true, false, false]);
  assert.equal(new SecretSearch(['12345678']).find(Buffer.from('x12345678')), true);
});

test('a secret of any length is found', () => {
  const long = Array.from({ length: 5000 }, (_, at) => String.fromCharCode(33 + ((at * 7) % 90))).join('');
  const both = new SecretSearch([long, 'hunter22']);
  assert.deepEqual(
    [long, `x${long}`, 'hunter22', long.slice(1)].map((text) => both.find(Buffer.from(text))),
    [true, true, true, false],
  );
  assert.equal(new SecretSearch([long]).find(Buffer.from(base64(`12${long}`))), true);
});

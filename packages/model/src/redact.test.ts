import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redact } from './redact.ts';

test('a secret goes wherever it stands, also in base64 and percent-encoded', () => {
  const secret = 'p@ss/word 1';
  const text = `${secret} ${Buffer.from(secret).toString('base64')} ${encodeURIComponent(secret)} ${secret}`;
  assert.equal(redact(text, [secret]), '[secret] [secret]= [secret] [secret]');
  assert.equal(redact('p%40ss%2fword%201', [secret]), '[secret]');
});

test('a secret under eight characters stays, one of eight goes', () => {
  assert.equal(redact('1234567 abcdefgh', ['1234567', 'abcdefgh']), '1234567 [secret]');
  assert.equal(redact(Buffer.from('1234567').toString('base64'), ['1234567']), 'MTIzNDU2Nw==');
});

// A character that holds bits of the secret and of its neighbour goes with it.
for (const [before, rest] of [
  ['abc', 'YWJj'],
  ['user:', 'dXNlcj'],
  ['user', 'dXNlc'],
] as const) {
  test(`in base64 a secret goes out of a larger text that has ${before.length} bytes before it`, () => {
    for (const secret of ['S3cr3t??', 'S3cr3t>>>', 'S3cr3t~~~~']) {
      const text = Buffer.from(`${before}${secret}`);
      assert.equal(redact(text.toString('base64').replace(/=+$/, ''), [secret]), `${rest}[secret]`);
      assert.equal(redact(text.toString('base64url'), [secret]), `${rest}[secret]`);
    }
  });
}

test('what follows a secret in base64 stays', () => {
  const encoded = (text: string): string => Buffer.from(text).toString('base64');
  assert.equal(redact(encoded('{"password":"S3cr3t??","host":"db"}'), ['S3cr3t??']), 'eyJwYXNzd29yZCI6I[secret]IiwiaG9zdCI6ImRiIn0=');
  assert.equal(redact(encoded('{"pass":"S3cr3t??","host":"db"}'), ['S3cr3t??']), 'eyJwYXNzIjoi[secret]iLCJob3N0IjoiZGIifQ==');
});

test('of secrets that contain one another or overlap nothing stays, whatever their order', () => {
  const secrets = ['abcdefgh', 'abcdefgh12345678', '12345678ijklmnop'];
  for (const ordered of [secrets, secrets.toReversed()]) {
    assert.equal(redact('<abcdefgh12345678>', ordered), '<[secret]>');
    assert.equal(redact('<abcdefgh12345678ijklmnop>', ordered), '<[secret]>');
    assert.equal(redact('<abcdefghabcdefgh>', ordered), '<[secret][secret]>');
    assert.equal(redact('<abababababab>', ['ababababab']), '<[secret]>');
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redact } from './redact.ts';

test('a secret goes wherever it stands, also in base64 and percent-encoded', () => {
  const secret = 'p@ss/word 1';
  const text = `${secret} ${Buffer.from(secret).toString('base64')} ${encodeURIComponent(secret)} ${secret}`;
  assert.equal(redact(text, [secret]), '[secret] [secret]= [secret] [secret]');
});

test('a secret under eight characters stays, one of eight goes', () => {
  assert.equal(redact('1234567 abcdefgh', ['1234567', 'abcdefgh']), '1234567 [secret]');
});

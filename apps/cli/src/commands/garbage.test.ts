import assert from 'node:assert/strict';
import { test } from 'node:test';
import { document, shopFixture } from './shop-fixture.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
const items = [
  { kind: 'image', id: digest, action: 'delete', why: 'no release that is kept needs it' },
  { kind: 'snapshot', id: 'b_1', action: 'keep', why: 'backup of main' },
];

test('gc says of each thing why it stays or goes', async (t) => {
  const { run, asked } = await shopFixture(t, { 'POST /gc': { items, next: null } });
  assert.deepEqual((await run('gc')).stdout.split('\n'), [
    'ACTION  KIND      ID            WHY',
    'delete  image     0123456789ab  no release that is kept needs it',
    'keep    snapshot  b_1           backup of main',
    '',
  ]);
  assert.deepEqual(await run('gc', '--dry-run', '--json'), { code: 0, stdout: document(items), stderr: '' });
  assert.deepEqual(asked(), [
    ['POST', '/gc', '{"dryRun":false}'],
    ['POST', '/gc', '{"dryRun":true}'],
  ]);
});

test('gc of a server that holds nothing says so', async (t) => {
  const { run } = await shopFixture(t, { 'POST /gc': { items: [], next: null } });
  assert.deepEqual(await run('gc'), { code: 0, stdout: 'there is nothing to look at\n', stderr: '' });
});

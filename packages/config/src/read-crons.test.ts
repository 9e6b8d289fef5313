import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cronSpecProblem } from './cron-spec.ts';
import { complaints, read, web } from './reading-fixture.ts';

test('crons are read, sorted, and said not to be run yet', () => {
  const { topology, inactive } = read(
    web(
      'crons:',
      '  tidy: { spec: "*/15 * * * *", commands: { start: a }, timeout: 5m, wake: true }',
      '  mail: { spec: "H 3 * * mon", commands: { start: b } }',
    ),
  );
  const [node] = topology?.nodes ?? [];
  assert.deepEqual(node?.kind === 'application' && node.crons, [
    { name: 'mail', spec: 'H 3 * * mon', start: 'b', timeoutMs: 86_400_000, wake: false },
    { name: 'tidy', spec: '*/15 * * * *', start: 'a', timeoutMs: 300_000, wake: true },
  ]);
  assert.deepEqual(inactive, ['coppice.yaml:5:5  crons of web are not run yet']);
});

test('an empty map of crons is not worth a remark', () => {
  assert.deepEqual(read(web('crons: {}')).inactive, []);
});

test('schedules that can be read', () => {
  for (const spec of ['* * * * *', '0 3 * * *', '1,2,5-9 */2 1-31/5 jan,FEB-apr 0-7', 'H H(1-5) * * sun', 'H/15 * * * *']) {
    assert.equal(cronSpecProblem(spec), undefined, spec);
  }
});

test('schedules that cannot', () => {
  for (const spec of [
    '',
    '* * * *',
    '* * * * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * * 8',
    '*/0 * * * *',
    '5-1 * * * *',
    'a * * * *',
    '1,,2 * * * *',
    '5/2 * * * *',
    '@daily',
    '1-2-3 * * * *',
    '*/5/5 * * * *',
  ]) {
    assert.notEqual(cronSpecProblem(spec), undefined, spec);
  }
});

test('a bad schedule is told with the field', () => {
  assert.deepEqual(complaints(web('crons: { c: { spec: "61 * * * *", commands: { start: a } } }')), [
    'coppice.yaml:5:25  spec: "61 * * * *" is no schedule; the minute "61" is not within 0 to 59',
  ]);
});

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runFile } from './run-file.ts';

async function outcome(t: TestContext, code: string, timeoutMs = 30_000): Promise<readonly string[]> {
  const root = mkdtempSync(join(tmpdir(), 'coppice-suite-test-'));
  t.after(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, 'x.test.mjs'), `import { describe, test } from 'node:test';\nimport assert from 'node:assert';\n${code}`);
  const { tests } = await runFile({ root, file: 'x.test.mjs', timeoutMs });
  return tests.map(({ path, result, error }) => `${result} ${path.join('/')}${error === undefined ? '' : `: ${error.split('\n')[0]}`}`);
}

test('tests of a file are told apart, each with its reason', async (t) => {
  const code = `
    describe('group', () => { test('good', () => {}); test('bad', () => assert.equal(1, 2, 'one is not two')); });
    test('left', { ['skip']: true }, () => {});
    test('parent', async (t) => { await t.test('child', () => {}); });`;
  assert.deepEqual(await outcome(t, code), [
    'passed group/good',
    'failed group/bad: AssertionError [ERR_ASSERTION]: one is not two',
    'skipped left',
    'passed parent/child',
  ]);
});

test('a file that does not load, ends early or has no test is a failed test', async (t) => {
  const own = 'failed (the file itself)';
  assert.deepEqual(await outcome(t, `import './none.mjs';`), [`${own}: it ended with exit code 1 and without a test`]);
  assert.deepEqual(await outcome(t, ''), [`${own}: it ended with exit code 0 and without a test`]);
  assert.deepEqual(
    (await outcome(t, `test('x', () => {}); test('y', () => process.kill(process.pid, 'SIGKILL'));`)).at(-1),
    `${own}: it was killed by SIGKILL`,
  );
});

test('a file that leaves in the middle is a failed test, whatever its exit code', async (t) => {
  const told = await outcome(t, `test('x', () => {}); test('y', () => process.exit(0)); test('z', () => {});`);
  assert.equal(told.at(-1)?.startsWith('failed'), true, told.join('\n'));
});

test('a file that does not end is killed with what it started, and what passed before still counts', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-suite-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const mark = join(folder, 'pid');
  const code = `
    import { spawn } from 'node:child_process';
    import { writeFileSync } from 'node:fs';
    test('quick', () => {});
    test('endless', () => {
      const child = spawn('sleep', ['1000']);
      writeFileSync(${JSON.stringify(mark)}, String(child.pid));
      return new Promise(() => {});
    });`;
  const told = await outcome(t, code, 3_000);
  assert.deepEqual([told[0], told.at(-1)], ['passed quick', 'failed (the file itself): it had not ended after 3 s and was killed']);
  const state = (): string =>
    existsSync(`/proc/${child}/stat`) ? (readFileSync(`/proc/${child}/stat`, 'utf8').split(' ')[2] ?? '') : 'gone';
  const child = readFileSync(mark, 'utf8');
  assert.match(state(), /^(gone|Z|X)$/);
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';

const lock = new URL('lock.mjs', import.meta.url).href;

/** Each adds a line, then another; lines of two processes would mix if both were inside at once. */
const program = `
  import { appendFileSync } from 'node:fs';
  import { withLock } from ${JSON.stringify(lock)};
  await withLock(async () => {
    appendFileSync('log', process.pid + '\\n');
    await new Promise((resolve) => setTimeout(resolve, 30));
    appendFileSync('log', process.pid + '\\n');
  });`;

async function runAtOnce(t: TestContext, count: number, prepare: (lockFile: string) => void): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-lock-'));
  t.after(() => rmSync(folder, { recursive: true }));
  prepare(join(folder, `coppice-setup-${userInfo().uid}.lock`));
  const codes = await Promise.all(
    Array.from({ length: count }, () => {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
        cwd: folder,
        env: { ...process.env, TMPDIR: folder },
        stdio: 'inherit',
      });
      return new Promise((resolve) => child.on('exit', resolve));
    }),
  );
  assert.deepEqual(codes, Array(count).fill(0));
  assert.deepEqual(readdirSync(folder), ['log']);
  return readFileSync(join(folder, 'log'), 'utf8').trimEnd().split('\n');
}

function inPairs(lines: readonly string[]): boolean {
  return lines.every((line, index) => index % 2 === 0 || line === lines[index - 1]);
}

test('set-ups that run at once take turns', async (t) => {
  const lines = await runAtOnce(t, 4, () => undefined);
  assert.deepEqual([lines.length, inPairs(lines)], [8, true]);
});

test('the lock of a process that is gone is taken over, by one at a time', async (t) => {
  const beyondAnyProcess = 2 ** 22 + 1;
  const lines = await runAtOnce(t, 4, (lockFile) => writeFileSync(lockFile, String(beyondAnyProcess)));
  assert.deepEqual([lines.length, inPairs(lines)], [8, true]);
});

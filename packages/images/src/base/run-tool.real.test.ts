import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoppiceError } from '@coppice/model';
import { runTool } from './run-tool.ts';

test('a program that fails is told of with its last lines, without the logins in URLs', async () => {
  const script = 'echo "could not reach http://me:hunter22@proxy:3128/x" >&2; exit 3';
  const run = { argv: ['sh', '-c', script], environment: { PATH: process.env['PATH'] ?? '' }, purpose: 'fetching' };
  const message = 'fetching: exit code 3\ncould not reach http://***@proxy:3128/x';
  await assert.rejects(runTool(run), new CoppiceError('base-failed', message));
});

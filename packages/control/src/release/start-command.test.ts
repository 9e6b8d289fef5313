import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCommand } from './resolve-node.ts';

function started(start: string | undefined, preStart?: string): readonly string[] | undefined {
  return startCommand({ start, preStart });
}

test('a single command takes the shell’s place, so that it gets the signals itself', () => {
  assert.deepEqual(started('node server.js --port=1'), ['/bin/sh', '-c', 'exec node server.js --port=1']);
  assert.deepEqual(started('node server.js\n'), ['/bin/sh', '-c', 'exec node server.js']);
});

test('what only a shell understands is left to it', () => {
  for (const start of ['A=1 node server.js', 'a && b', 'serve $PORT', 'first line\nsecond line']) {
    assert.deepEqual(started(start), ['/bin/sh', '-c', start]);
  }
});

test('pre_start runs before, and its failure is the start’s', () => {
  assert.deepEqual(started('node server.js', 'mkdir -p /tmp/x'), ['/bin/sh', '-c', 'set -e\nmkdir -p /tmp/x\nexec node server.js']);
});

test('no start leaves it to the type', () => {
  assert.equal(started(undefined), undefined);
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Command } from 'commander';
import { createProgram } from './program.ts';

const page = readFileSync(new URL('../../../docs/reference/commands.md', import.meta.url), 'utf8');

/** Full names of all commands that do something themselves. */
function names(command: Command, before: string): readonly string[] {
  return command.commands.flatMap((child) => {
    const name = `${before} ${child.name()}`;
    return child.commands.length > 0 && child.name() !== 'server' ? names(child, name) : [name, ...names(child, name)];
  });
}

test('every command stands in docs/reference/commands.md', () => {
  const all = names(createProgram(), 'coppice');
  assert.ok(all.length > 15);
  assert.deepEqual(
    all.filter((name) => !page.includes(`\`${name}`)),
    [],
  );
});

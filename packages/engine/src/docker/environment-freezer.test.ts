import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { environment } from '../testing/specs.ts';
import { DockerStatusError } from './docker-error.ts';
import type { ServerScope } from './environment-containers.ts';
import { EnvironmentFreezer } from './environment-freezer.ts';

/** An engine that believes that a container with this process runs, and cannot pause it. */
function scopeWith(pid: number): ServerScope {
  const answer = async ({ path }: { readonly path: string }): Promise<unknown> => {
    if (path.endsWith('/pause')) throw new DockerStatusError(500, 'cannot pause a stopped container', undefined);
    if (path === '/containers/json') return [{ Id: 'c1', State: 'running', Labels: {} }];
    return { Id: 'c1', State: { Status: 'running', Pid: pid }, Config: { Labels: {} } };
  };
  return { connection: { json: answer }, serverId: 'test' } as unknown as ServerScope;
}

test('what has ended and the engine does not know of yet need not be frozen', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  await new EnvironmentFreezer(scopeWith(child.pid ?? 0)).freeze(environment('e_freezer'));
});

test('what runs and cannot be frozen is an error', async () => {
  const freezing = new EnvironmentFreezer(scopeWith(process.pid)).freeze(environment('e_freezer'));
  await assert.rejects(freezing, { message: 'cannot pause a stopped container' });
});

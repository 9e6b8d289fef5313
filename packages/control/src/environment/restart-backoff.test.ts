import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeploymentId, Digest, EnvironmentId, NodeName, ObservedGeneration } from '@coppice/model';
import { RestartBackoff } from './restart-backoff.ts';

const environment = 'e_1' as EnvironmentId;
const web = 'web' as NodeName;

function generation(id: string, state: 'running' | 'exited'): readonly ObservedGeneration[] {
  const still = { address: undefined, exitCode: 1, outOfMemory: false, cpu: 1, memoryBytes: 1, startedAt: undefined } as const;
  const instances = [{ id, index: 0, state, readiness: 'unknown', ...still }] as const;
  return [{ node: web, digest: 'sha256:1' as Digest, deployment: 'd_1' as DeploymentId, instances }];
}

function clock(): { nowMs: number; now: () => Date; monotonicMs: () => number } {
  const state = { nowMs: 0, now: () => new Date(state.nowMs), monotonicMs: () => state.nowMs };
  return state;
}

test('the first crash starts at once, each further one waits twice as long, up to a minute', () => {
  const time = clock();
  const backoff = new RestartBackoff(time);
  const waits: (number | undefined)[] = [];
  for (let crash = 0; crash < 9; crash += 1) {
    const resting = backoff.rest(environment, generation(`c${crash}`, 'exited'));
    waits.push(backoff.waitMs(environment));
    assert.deepEqual([...resting], crash === 0 ? [] : [web]);
    time.nowMs += backoff.waitMs(environment) ?? 0;
  }
  assert.deepEqual(waits, [undefined, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
});

test('a crash is counted once, however often it is seen', () => {
  const told: number[] = [];
  const backoff = new RestartBackoff(clock(), (count) => told.push(count));
  for (let look = 0; look < 5; look += 1) backoff.rest(environment, generation('c', 'exited'));
  assert.deepEqual(backoff.of(environment, web), { count: 1, last: 'exit code 1', startsInMs: 0 });
  assert.deepEqual(told, [1]);
});

test('a node that ran for two minutes begins anew', () => {
  const time = clock();
  const backoff = new RestartBackoff(time);
  for (const id of ['a', 'b', 'c']) backoff.rest(environment, generation(id, 'exited'));
  time.nowMs += 120_001;
  backoff.rest(environment, generation('d', 'running'));
  assert.equal(backoff.of(environment, web), null);
});

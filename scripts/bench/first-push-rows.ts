import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clone, TestServer } from '../../test/e2e/harness.ts';
import { type BenchRow, judged, median, runs } from './bench-row.ts';

/**
 * First pushes of the guestbook on a server that has its bases, into a new project (nothing in the package cache) and into a new
 * environment of the same project (packages cached). What npm reads changes with each push, so that packages are installed every time.
 */
export async function firstPushRows(server: TestServer): Promise<readonly BenchRow[]> {
  await push(server, await server.project('guestbook-bases', 'guestbook'), 'bases');
  const cold: number[] = [];
  const warm: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const clone = await server.project(`guestbook-${run}`, 'guestbook');
    cold.push(await push(server, clone, `cold-${run}`));
    warm.push(await push(server, clone, `warm-${run}`));
  }
  return [
    judged({ name: 'first push of guestbook, packages cached', measured: median(warm), unit: 'ms', limit: 8_000 }),
    judged({ name: 'first push of guestbook, nothing cached', measured: median(cold), unit: 'ms', limit: 20_000 }),
  ];
}

/** Pushes a branch of its own with a `package.json` of its own, and deletes it again. Resolves with the time of the first push, in ms. */
async function push(server: TestServer, clone: Clone, branch: string): Promise<number> {
  const path = 'package.json';
  const manifest = JSON.parse(readFileSync(join(clone.folder, path), 'utf8')) as object;
  await clone.commit({ [path]: `${JSON.stringify({ ...manifest, description: branch }, undefined, 2)}\n` });
  const startedMs = performance.now();
  const pushed = await clone.push(`HEAD:refs/heads/${branch}`, { options: ['no-clone'] });
  const tookMs = performance.now() - startedMs;
  if (pushed.code !== 0) throw new Error(`the push was refused:\n${pushed.output}\n${server.log.slice(-2000)}`);
  if (!/added \d+ packages/.test(pushed.output)) throw new Error(`no packages were installed:\n${pushed.output}`);
  const deleted = await clone.push(`:refs/heads/${branch}`);
  if (deleted.code !== 0) throw new Error(`the branch was not deleted:\n${deleted.output}`);
  return tookMs;
}

import { randomFillSync } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { TestServer } from '../../test/e2e/harness.ts';
import { type BenchRow, judged } from './bench-row.ts';
import { forgetPeak, peakBytes, residentBytes } from './process-use.ts';
import { smallApplication } from './small-application.ts';

const mebibyte = 1024 ** 2;
const files = 8;
const mebibytesPerFile = 128;
const pushes = 3;

/**
 * Growth of the server process while it receives 1 GiB of random bytes: the highest of several pushes, since a median would hide a peak.
 * They are pushed with `-o plan`: all is received, checked and planned, and no image of 1 GiB is built.
 */
export async function largePushRows(server: TestServer): Promise<readonly BenchRow[]> {
  const clone = await server.project('large');
  await clone.deploy(smallApplication('first'));
  // the client's, so that it too streams what does not compress
  await clone.git('config', 'core.bigFileThreshold', '1m');
  await clone.git('config', 'core.compression', '0');
  for (let file = 0; file < files; file += 1) await writeRandom(join(clone.folder, `random-${file}`));
  // One of them is gone from the tip, since its tree may hold no more than 1 GiB; all are pushed.
  await clone.commit();
  await clone.commit({ 'random-0': null });
  const { pid } = server;
  if (pid === undefined) throw new Error('the server does not run');
  const growths: number[] = [];
  const seconds: number[] = [];
  for (let push = 0; push < pushes; push += 1) {
    const before = residentBytes(pid);
    forgetPeak(pid);
    const startedMs = performance.now();
    const { output } = await clone.push('HEAD', { options: ['plan'] });
    seconds.push((performance.now() - startedMs) / 1000);
    if (!output.includes('plan only: nothing was changed')) throw new Error(`the push was not planned:\n${output}`);
    growths.push((peakBytes(pid) - before) / mebibyte);
  }
  const note = `highest of ${pushes}; received and checked in ${seconds.map((taken) => taken.toFixed(1)).join(', ')} s`;
  return [judged({ name: 'receiving 1 GiB: growth of the server', measured: Math.max(...growths), unit: 'MB', limit: 64, note })];
}

/** Written in pieces, so that this process stays small too. */
async function writeRandom(path: string): Promise<void> {
  const file = createWriteStream(path);
  for (let written = 0; written < mebibytesPerFile; written += 1) {
    const block = randomFillSync(Buffer.alloc(mebibyte));
    if (!file.write(block)) await new Promise<void>((resolve) => file.once('drain', resolve));
  }
  file.end();
  await finished(file);
}

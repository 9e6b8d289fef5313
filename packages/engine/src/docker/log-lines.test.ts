import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogLine } from '../engine.ts';
import { lineLimitBytes, logLines } from './log-lines.ts';
import { forwardLines } from './output-lines.ts';

function frame(stream: 1 | 2, text: string): Buffer {
  const data = Buffer.from(text);
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(data.length, 4);
  return Buffer.concat([head, data]);
}

async function* bytesOf(whole: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < whole.length; offset += size) yield whole.subarray(offset, offset + size);
}

async function read(whole: Buffer, size: number): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for await (const line of logLines(bytesOf(whole, size))) lines.push(line);
  return lines;
}

test('lines come out the same however the stream is cut into pieces', async () => {
  const whole = Buffer.concat([frame(1, 'T1 one\n'), frame(2, 'T2 é\n'), frame(1, 'T3 long '), frame(1, 'T4 line\n'), frame(1, 'T5 open')]);
  const lines = [
    { time: 'T1', stream: 'stdout', text: 'one' },
    { time: 'T2', stream: 'stderr', text: 'é' },
    { time: 'T3', stream: 'stdout', text: 'long line' },
    { time: 'T5', stream: 'stdout', text: 'open' },
  ];
  for (const size of [1, 3, 8, 1000]) assert.deepEqual(await read(whole, size), lines);
});

test('a line without end holds 64 KiB and no more', async () => {
  const parts = Array.from({ length: 20 }, () => frame(1, `T ${'x'.repeat(16_384)}`));
  const [line] = await read(Buffer.concat([...parts, frame(1, 'T \n')]), 5000);
  assert.equal(line?.text.length, lineLimitBytes);
});

test('output of a build is forwarded in whole lines, up to its limit', async () => {
  const whole = Buffer.concat([frame(1, 'a\nb'), frame(2, 'err\n'), frame(1, 'c\nend')]);
  for (const size of [1, 7, 1000]) {
    const lines: string[] = [];
    await forwardLines(bytesOf(whole, size), 100, (line) => lines.push(line));
    assert.deepEqual(lines, ['a', 'err', 'bc', 'end']);
  }
  await assert.rejects(
    forwardLines(bytesOf(whole, 1000), 10, () => undefined),
    { name: 'OutputLimit' },
  );
});

import { lineLimitBytes } from './log-lines.ts';
import { outputFrames } from './output-frames.ts';

/** More was printed than allowed. */
export class OutputLimit extends Error {
  override readonly name = 'OutputLimit';
}

/** Calls `onLine` for each whole line of a multiplexed stream, cut at 64 KiB. Throws OutputLimit after `limitBytes` in all. */
export async function forwardLines(
  source: AsyncIterable<Buffer | string>,
  limitBytes: number,
  onLine: (line: string) => void,
): Promise<void> {
  const open = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  let total = 0;
  for await (const { stream, data } of outputFrames(source)) {
    total += data.length;
    if (total > limitBytes) throw new OutputLimit();
    let rest = data;
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      onLine(cut(open[stream], rest.subarray(0, end)).toString('utf8'));
      open[stream] = Buffer.alloc(0);
      rest = rest.subarray(end + 1);
    }
    open[stream] = cut(open[stream], rest);
  }
  for (const left of [open.stdout, open.stderr]) if (left.length > 0) onLine(left.toString('utf8'));
}

function cut(start: Buffer<ArrayBuffer>, more: Buffer): Buffer<ArrayBuffer> {
  const kept = more.subarray(0, Math.max(0, lineLimitBytes - start.length));
  return Buffer.concat([start, kept]);
}

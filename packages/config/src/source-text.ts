import type { SourcePosition } from '@coppice/model';

/** A file as checked text, with a way from offsets to lines and columns. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
  /** The position of an offset in UTF-16 units; offsets past the end are the end's. */
  position(offset: number): SourcePosition;
}

/** Indexes the lines once; each position then costs a binary search. */
export function sourceText(file: string, text: string): SourceText {
  const starts = [0];
  for (let offset = text.indexOf('\n'); offset !== -1; offset = text.indexOf('\n', offset + 1)) starts.push(offset + 1);
  return {
    file,
    text,
    position(offset) {
      const bounded = Math.max(0, Math.min(offset, text.length));
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = Math.ceil((low + high) / 2);
        if ((starts[middle] ?? 0) <= bounded) low = middle;
        else high = middle - 1;
      }
      return { file, line: low + 1, column: bounded - (starts[low] ?? 0) + 1 };
    },
  };
}

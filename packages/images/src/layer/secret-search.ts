import { base64Cores, percentForms } from '@coppice/model';

/** Secrets under so many bytes are not looked for: chance would find them. */
export const shortestSecretBytes = 8;
/** What the table of shifts can hold. */
const widestWindow = 256;

/** A text given piece by piece, which remembers as much of the end as a secret could begin in. */
export interface SearchedStream {
  /** Whether a secret lies in the bytes so far and ends in these. */
  add(bytes: Uint8Array): boolean;
}

/**
 * Finds secrets in bytes: as they are, percent-encoded, and in base64 and base64url by themselves or within more. One pass for all forms,
 * after S. Wu and U. Manber, "A fast algorithm for multi-pattern searching" (1994): the last two bytes of a window say how far to go on,
 * so that most bytes are never looked at. Does not find what is compressed, encrypted, in base64 with a line break within, or in another coding.
 */
export class SecretSearch {
  private readonly forms: readonly Buffer[];
  private readonly window: number;
  private readonly longest: number;
  /** By the last two bytes of a window: how far the next one that could begin a form is away. */
  private readonly shifts = new Uint8Array(0x10000);
  private readonly candidates = new Map<number, Buffer[]>();

  constructor(secrets: readonly string[]) {
    this.forms = secrets.filter((secret) => Buffer.byteLength(secret) >= shortestSecretBytes).flatMap(formsOf);
    const lengths = this.forms.map((form) => form.length);
    this.window = Math.min(widestWindow, ...lengths);
    this.longest = Math.max(0, ...lengths);
    this.shifts.fill(this.window - 1);
    for (const form of this.forms) this.enter(form);
  }

  /** True where there is nothing to look for. */
  get isEmpty(): boolean {
    return this.forms.length === 0;
  }

  find(bytes: Uint8Array): boolean {
    if (this.isEmpty) return false;
    const { shifts, window } = this;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let end = window - 1; end < buffer.length; ) {
      // within the bounds just checked
      const pair = ((buffer[end - 1] as number) << 8) | (buffer[end] as number);
      const shift = shifts[pair] as number;
      if (shift === 0 && this.beginsAt(buffer, end - window + 1, pair)) return true;
      end += Math.max(1, shift);
    }
    return false;
  }

  stream(): SearchedStream {
    let kept: Uint8Array = Buffer.alloc(0);
    return {
      add: (bytes) => {
        const overlap = Math.max(0, this.longest - 1);
        // only the seam is copied, not the piece
        if (this.find(Buffer.concat([kept, bytes.subarray(0, overlap)])) || this.find(bytes)) return true;
        // a copy: whoever gave the piece may use its memory again
        kept = bytes.length >= overlap ? Buffer.from(bytes.subarray(bytes.length - overlap)) : lastOf(kept, bytes, overlap);
        return false;
      },
    };
  }

  private enter(form: Buffer): void {
    for (let end = 1; end < this.window; end += 1) {
      const pair = form.readUInt16BE(end - 1);
      const shift = this.window - 1 - end;
      this.shifts[pair] = Math.min(this.shifts[pair] ?? 0, shift);
      if (shift === 0) this.candidates.set(pair, [...(this.candidates.get(pair) ?? []), form]);
    }
  }

  private beginsAt(buffer: Buffer, start: number, pair: number): boolean {
    const candidates = this.candidates.get(pair) ?? [];
    return candidates.some((form) => buffer.subarray(start, start + form.length).equals(form));
  }
}

function lastOf(kept: Uint8Array, bytes: Uint8Array, length: number): Uint8Array {
  const all = Buffer.concat([kept, bytes]);
  return all.subarray(Math.max(0, all.length - length));
}

function formsOf(secret: string): readonly Buffer[] {
  const base64 = base64Cores(Buffer.from(secret)).map(({ text }) => text);
  const base64Url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  return [...new Set([secret, ...percentForms(secret), ...base64, ...base64Url])].map((form) => Buffer.from(form));
}

import { type Base64Core, base64Cores } from './base64-cores.ts';
import { percentForms } from './percent-forms.ts';

const mask = '[secret]';
const shortest = 8;

/**
 * `text` without any of the secrets, also where they are written percent-encoded, or in base64 or base64url by themselves or within more.
 * Secrets under 8 characters are left: they would eat words. One that is broken over two texts is not found.
 */
export function redact(text: string, secrets: readonly string[]): string {
  // All are looked for in the whole text before any is taken out: else a rest of one stays where another covered part of it.
  const base64 = text.replaceAll('-', '+').replaceAll('_', '/');
  const spans = secrets
    .filter((secret) => secret.length >= shortest)
    .flatMap((secret) => [
      ...[secret, ...percentForms(secret)].flatMap((form) => occurrences(text, form)),
      ...base64Cores(Buffer.from(secret)).flatMap((core) => encodedSpans(base64, core)),
    ])
    .sort((a, b) => a.start - b.start);
  let clean = '';
  let end = 0;
  for (const span of spans) {
    if (span.start >= end) clean += text.slice(end, span.start) + mask;
    end = Math.max(end, span.end);
  }
  return clean + text.slice(end);
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function encodedSpans(base64: string, { text, mixedBefore, mixedAfter }: Base64Core): readonly Span[] {
  const isEncoded = (at: number): boolean => /[A-Za-z0-9+/]/.test(base64.charAt(at));
  return occurrences(base64, text).map(({ start, end }) => ({
    start: mixedBefore && isEncoded(start - 1) ? start - 1 : start,
    end: mixedAfter && isEncoded(end) ? end + 1 : end,
  }));
}

function occurrences(text: string, form: string): readonly Span[] {
  const found: Span[] = [];
  for (let start = text.indexOf(form); start >= 0; start = text.indexOf(form, start + 1)) {
    found.push({ start, end: start + form.length });
  }
  return found;
}

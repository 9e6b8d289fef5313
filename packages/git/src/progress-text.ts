import { type CoppiceError, formatDiagnostic, plainText } from '@coppice/model';

const maxLine = 2000;

/** `text` as lines for a terminal: no escapes, control characters or bidirectional overrides; each at most 2,000 characters. */
export function progressLines(text: string): readonly string[] {
  return plainText(text)
    .replaceAll('\t', '  ')
    .replace(/[\u2028\u2029]/g, '\n')
    .split('\n')
    .map((line) => (line.length > maxLine ? `${line.slice(0, maxLine)}…` : line));
}

/** `text` as one line of at most 500 characters, for the reason git shows in brackets. */
export function reasonLine(text: string): string {
  const line = progressLines(text).join(' ').replace(/\s+/g, ' ').trim();
  return line.length > 500 ? `${line.slice(0, 500)}…` : line || 'refused';
}

/** What a person is told of an error: the message, each diagnostic, the hint. */
export function errorLines(error: CoppiceError): readonly string[] {
  return [
    ...error.message.split('\n'),
    ...error.diagnostics.map((diagnostic) => `  ${formatDiagnostic(diagnostic)}`),
    ...(error.hint ? [error.hint] : []),
  ];
}

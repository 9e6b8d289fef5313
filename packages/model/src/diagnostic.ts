/** Where in a file something stands; line and column count from 1, columns in UTF-16 units. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** An expected failure, or a remark, about something a person wrote. A value: it is collected, not thrown. */
export interface Diagnostic {
  /** A word with hyphens that stands in docs/reference/errors.md, e.g. `unknown-key`. */
  readonly code: string;
  readonly severity: 'error' | 'warning';
  /** What is wrong, in one sentence without the position. */
  readonly message: string;
  readonly at?: SourcePosition;
  /** What is allowed, or what to do. */
  readonly hint?: string;
}

/** `coppice.yaml:4:20  message; hint`, one line, for terminals and push output. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const at = diagnostic.at ? `${diagnostic.at.file}:${diagnostic.at.line}:${diagnostic.at.column}  ` : '';
  return `${at}${diagnostic.message}${diagnostic.hint ? `; ${diagnostic.hint}` : ''}`;
}

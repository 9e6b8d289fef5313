import type { Diagnostic, SourcePosition } from '@coppice/model';
import type { DiagnosticCode } from './diagnostic-codes.ts';
import { limits } from './limits.ts';

/** What is wrong somewhere; the hint is made only for those that are shown, since finding the nearest name costs. */
export interface Finding {
  readonly code: DiagnosticCode;
  readonly at: SourcePosition;
  readonly message: string;
  readonly hint?: string | (() => string) | undefined;
}

/** Collects what one reading finds. */
export interface Report {
  error(finding: Finding): void;
  warning(finding: Finding): void;
  /** Counts further errors that are not worth telling one by one. */
  more(count: number): void;
  /** A key that is accepted and not acted on yet, e.g. `crons of web are not run yet`. */
  inactive(at: SourcePosition, text: string): void;
  /** Notes a folder that the commit must have: only whoever has its tree can tell. */
  needsFolder(folder: NeededFolder): void;
  hasErrors(): boolean;
  /** Sorted by file, line and column, equal ones once, at most `limits.diagnostics`; errors go before warnings where not all fit. */
  diagnostics(): Diagnostic[];
  /** Sorted lines with their positions. */
  inactiveLines(): string[];
  neededFolders(): NeededFolder[];
}

/** A folder that the file names, relative to the root of the repository. */
export interface NeededFolder {
  readonly path: string;
  readonly at: SourcePosition;
}

type Severity = Diagnostic['severity'];

/** An empty report. `files` is the order in which files are reported. */
export function createReport(files: readonly string[]): Report {
  const findings: (Finding & { readonly severity: Severity })[] = [];
  const folders: NeededFolder[] = [];
  const notes: { readonly at: SourcePosition; readonly text: string }[] = [];
  let uncounted = 0;
  const order = new Map(files.map((file, index) => [file, index]));
  const byPosition = (a: { readonly at: SourcePosition }, b: { readonly at: SourcePosition }) =>
    (order.get(a.at.file) ?? 0) - (order.get(b.at.file) ?? 0) || a.at.line - b.at.line || a.at.column - b.at.column;
  return {
    error: (finding) => findings.push({ ...finding, severity: 'error' }),
    warning: (finding) => findings.push({ ...finding, severity: 'warning' }),
    more: (count) => {
      uncounted += count;
    },
    inactive: (at, text) => notes.push({ at, text }),
    needsFolder: (folder) => folders.push(folder),
    neededFolders: () => [...folders].sort(byPosition),
    hasErrors: () => findings.some((finding) => finding.severity === 'error'),
    diagnostics() {
      const unique = withoutRepeats(findings);
      const errors = unique.filter((finding) => finding.severity === 'error');
      const crowded = unique.length + uncounted > limits.diagnostics && errors.length > 0;
      const all = (crowded ? errors : unique).sort(byPosition);
      const total = all.length + uncounted;
      const shown = total > limits.diagnostics ? all.slice(0, limits.diagnostics - 1) : all;
      const last = shown.at(-1);
      const diagnostics = shown.map(toDiagnostic);
      if (shown.length < total && last !== undefined) {
        const left = total - shown.length;
        const message = `… and ${left} more`;
        diagnostics.push({ code: 'more' satisfies DiagnosticCode, severity: last.severity, message, at: last.at });
      }
      return diagnostics;
    },
    inactiveLines: () => notes.sort(byPosition).map((note) => `${note.at.file}:${note.at.line}:${note.at.column}  ${note.text}`),
  };
}

function toDiagnostic(finding: Finding & { readonly severity: Severity }): Diagnostic {
  const { code, severity, message, at } = finding;
  const hint = typeof finding.hint === 'function' ? finding.hint() : finding.hint;
  return hint === undefined ? { code, severity, message, at } : { code, severity, message, at, hint };
}

function withoutRepeats<T extends Finding>(findings: readonly T[]): T[] {
  const seen = new Set<string>();
  return findings.filter((finding) => {
    const key = `${finding.at.file}:${finding.at.line}:${finding.at.column} ${finding.message}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

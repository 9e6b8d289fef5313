import { CoppiceError, formatDiagnostic, isCoppiceError } from '@coppice/model';

/** A failure as the lines a person reads: message, diagnostics, what to do. Failures that are not ours name themselves only. */
export function failureLines(error: unknown): readonly string[] {
  if (!isCoppiceError(error)) return [`internal error: ${error instanceof Error ? error.message : String(error)}`];
  return [...error.message.split('\n'), ...error.diagnostics.map(formatDiagnostic), ...(error.hint === undefined ? [] : [error.hint])];
}

/** The failure in one line, for a ref's refusal and a deployment's reason. */
export function failureReason(error: unknown): string {
  return failureLines(error)[0]?.replace(/; its last output:$/, '') ?? 'failed';
}

/** Asserts at the type level that every thrown value is made readable the same way. */
export function toCoppiceError(error: unknown): CoppiceError {
  return isCoppiceError(error) ? error : new CoppiceError('internal', failureReason(error), { cause: error });
}

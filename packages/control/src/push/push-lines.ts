import { CoppiceError, formatDiagnostic, isCoppiceError } from '@coppice/model';
import { describeChange, type Plan } from '@coppice/plan';

/** A failure as the lines a person reads: message, diagnostics, what to do. Failures that are not ours name themselves only. */
export function failureLines(error: unknown): readonly string[] {
  if (!isCoppiceError(error)) return [`internal error: ${error instanceof Error ? error.message : String(error)}`];
  return [...error.message.split('\n'), ...error.diagnostics.map(formatDiagnostic), ...(error.hint === undefined ? [] : [error.hint])];
}

/** The failure in one line, for a ref's refusal and a deployment's reason. */
export function failureReason(error: unknown): string {
  return failureLines(error)[0] ?? 'failed';
}

/** The plan as it is shown: a line per node that changes, and how many stay. */
export function planLines(plan: Plan): readonly string[] {
  const changed = plan.changes.filter((change) => change.action !== 'keep');
  const kept = plan.changes.length - changed.length;
  if (changed.length === 0) return [plan.steps.length === 0 ? 'nothing to change' : 'no node changes; repairing what is around them'];
  return [...changed.map(describeChange), ...(kept > 0 ? [`keep ${kept} ${kept === 1 ? 'node' : 'nodes'} untouched`] : [])];
}

/** Asserts at the type level that every thrown value is made readable the same way. */
export function toCoppiceError(error: unknown): CoppiceError {
  return isCoppiceError(error) ? error : new CoppiceError('internal', failureReason(error), { cause: error });
}

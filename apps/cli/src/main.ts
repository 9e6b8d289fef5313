import { formatDiagnostic, isCoppiceError, plainText } from '@coppice/model';
import { exitCodeOf } from './exit-code.ts';
import { createProgram } from './program.ts';

try {
  await createProgram().parseAsync();
} catch (error) {
  for (const line of failureLines(error)) process.stderr.write(`${plainText(line)}\n`);
  process.exitCode = exitCodeOf(error);
}

function failureLines(error: unknown): readonly string[] {
  if (!isCoppiceError(error)) return [error instanceof Error ? error.message : String(error)];
  return [...error.diagnostics.map(formatDiagnostic), error.message, ...(error.hint === undefined ? [] : [error.hint])];
}

import { existsSync, readFileSync } from 'node:fs';

/**
 * The machine's wall clock. For tests only: where `COPPICE_CLOCK_SHIFT_FILE` names a file, it goes wrong by as many milliseconds as that
 * says, while it is there.
 */
export function wallClock({ COPPICE_CLOCK_SHIFT_FILE: file }: NodeJS.ProcessEnv): () => Date {
  if (file === undefined) return () => new Date();
  return () => new Date(Date.now() + (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0));
}

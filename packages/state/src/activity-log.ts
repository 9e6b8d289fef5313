import { type ActivityState, CoppiceError } from '@coppice/model';
import type { Database } from './database.ts';

/** Lines that the log of one activity keeps; later ones are only counted. */
export const maxLogLines = 10_000;
/** Longer lines are cut, in UTF-16 units. */
export const maxLogLineLength = 8_192;

interface LogHead {
  readonly lines: number;
  readonly state: ActivityState;
}

/** Appends lines up to the cap and counts the rest. To be called in a transaction. Throws `not-found`. */
export function appendLines(database: Database, id: string, lines: readonly string[]): void {
  const { lines: before } = head(database, id);
  const room = Math.max(0, maxLogLines - before);
  for (const [index, line] of lines.slice(0, room).entries()) {
    database.run('INSERT INTO activity_lines (activity, position, text) VALUES (@id, @position, @text)', {
      id,
      position: before + index,
      text: line.length > maxLogLineLength ? `${line.slice(0, maxLogLineLength)}…` : line,
    });
  }
  database.run('UPDATE activities SET lines = lines + @count WHERE id = @id', { id, count: lines.length });
}

/**
 * Lines from `after` on. How many were not kept is said in one more line, once the activity has ended: before, a reader who follows
 * would see a number that grows. Throws `not-found`.
 */
export function readLines(database: Database, id: string, after: number): readonly string[] {
  const { lines, state } = head(database, id);
  const kept = database
    .all<{ text: string }>('SELECT text FROM activity_lines WHERE activity = @id AND position >= @after ORDER BY position', { id, after })
    .map((row) => row.text);
  const dropped = lines - maxLogLines;
  return dropped > 0 && state !== 'running' && after <= maxLogLines ? [...kept, `… ${dropped} more lines were not kept`] : kept;
}

function head(database: Database, id: string): LogHead {
  const row = database.get<LogHead>('SELECT lines, state FROM activities WHERE id = @id', { id });
  if (row === undefined) throw new CoppiceError('not-found', `there is no activity ${id}`);
  return row;
}

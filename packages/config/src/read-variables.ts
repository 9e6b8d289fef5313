import { type Cursor, child, entries, keyAt, scalarText } from './cursor.ts';
import type { RawVariables } from './raw-file.ts';
import type { Report } from './report.ts';

/** What the platform sets itself, whatever the file says. */
const reserved = /^(?:PORT|PLATFORM_[A-Z0-9_]*|COPPICE_[A-Z0-9_]*)$/;

/** `env` as text by name; numbers and booleans the way they are written. Names that the platform sets are warned of. */
export function readVariables(cursor: Cursor<RawVariables> | undefined, report: Report): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const entry of entries(cursor && child(cursor, 'env'))) {
    if (reserved.test(entry.name)) {
      report.warning({
        code: 'reserved-variable',
        at: keyAt(entry),
        message: `env: ${entry.name} is set by the platform; this value is not used`,
      });
    }
    variables[entry.name] = scalarText(entry);
  }
  return variables;
}

import { CoppiceError, parseGitId } from '@coppice/model';
import type { ByteReader } from './byte-reader.ts';
import type { RefUpdate } from './receiver.ts';

/** What the hook tells of a push. */
export interface PushAnnouncement {
  readonly options: readonly string[];
  /** Not checked by name yet. Bytes that are no UTF-8 are U+FFFD, which no name may hold. */
  readonly updates: readonly RefUpdate[];
  /** The variables that make git read the quarantine too; empty where there is none (only deletions). */
  readonly quarantine: Readonly<Record<string, string>>;
}

const maxUpdates = 1000;
const maxOptions = 100;
const nul = 0;
const newline = 0x0a;
const quarantineVariables = ['GIT_QUARANTINE_PATH', 'GIT_OBJECT_DIRECTORY', 'GIT_ALTERNATE_OBJECT_DIRECTORIES'];

/**
 * Reads what pre-receive sends: variables of its environment, NUL after each and one more; then git's lines, and an empty one.
 * Throws `git-failed` and `limit-exceeded`; whatever it cannot read whole is refused, never cut.
 */
export async function readAnnouncement(reader: ByteReader): Promise<PushAnnouncement> {
  const variables = new Map<string, string>();
  for (let record = await reader.until(nul); record.length > 0; record = await reader.until(nul)) {
    const text = record.toString('utf8');
    const equals = text.indexOf('=');
    variables.set(text.slice(0, equals), text.slice(equals + 1));
  }
  const updates: RefUpdate[] = [];
  for (let line = await reader.until(newline); line.length > 0; line = await reader.until(newline)) {
    updates.push(parseUpdate(line));
    if (updates.length > maxUpdates) throw new CoppiceError('limit-exceeded', `a push may change at most ${maxUpdates} refs`);
  }
  return { options: readOptions(variables), updates, quarantine: readQuarantine(variables) };
}

/** `<old id> <new id> <ref>`, as githooks(5) has it for both hooks. */
export function parseUpdate(line: Buffer): RefUpdate {
  const previous = parseGitId(line.toString('latin1', 0, 40));
  const next = parseGitId(line.toString('latin1', 41, 81));
  if (!previous || !next || line[40] !== 0x20 || line[81] !== 0x20) throw new CoppiceError('git-failed', 'git sent what is no ref update');
  return { previous, next, ref: line.toString('utf8', 82) };
}

function readOptions(variables: ReadonlyMap<string, string>): readonly string[] {
  const count = Number(variables.get('GIT_PUSH_OPTION_COUNT') || '0');
  if (!Number.isInteger(count) || count < 0) throw new CoppiceError('git-failed', 'git miscounted the push options');
  if (count > maxOptions) throw new CoppiceError('limit-exceeded', `a push may carry at most ${maxOptions} options`);
  return Array.from({ length: count }, (_, index) => {
    const option = variables.get(`GIT_PUSH_OPTION_${index}`);
    if (option === undefined) throw new CoppiceError('git-failed', 'git lost a push option');
    return option;
  });
}

function readQuarantine(variables: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  if (!variables.get('GIT_QUARANTINE_PATH')) return {};
  return Object.fromEntries(quarantineVariables.flatMap((name) => (variables.get(name) ? [[name, variables.get(name) ?? '']] : [])));
}

import { isCoppiceError, redact } from '@coppice/model';

/**
 * Writes structured lines about the server itself: one JSON object each, to standard error. What was thrown goes into `error` as it is.
 */
export type Log = (event: string, details?: Readonly<Record<string, unknown>>) => void;

const leftOut = '[left out: the secrets cannot be read]';
/** What holds ids and names of ours, never a text from elsewhere. */
const names = new Set(['at', 'event', 'activity', 'environment', 'deployment', 'project', 'actor', 'kind', 'state', 'step', 'code']);

/**
 * A log to a stream; times are RFC 3339 in UTC. A thrown `error` is told by its first line and code and, where it is a defect of Coppice and
 * was not told before, with its stack and those of its causes. All text but ids and names goes through `redact` with the secrets of the
 * moment, and is left out where they cannot be read. Never throws.
 */
export function createLog(write: (line: string) => void, secrets: () => readonly string[] = () => []): Log {
  const known = new WeakSet<Error>();
  return (event, details = {}) => {
    const clean = cleaner(secrets);
    const words = details['error'] instanceof Error ? { ...wordsOf(details['error'], known), ...without(details) } : details;
    const told = (key: string, value: unknown): unknown => (typeof value === 'string' && !names.has(key) ? clean(value) : value);
    write(`${JSON.stringify({ at: new Date().toISOString(), event, ...words }, told)}\n`);
  };
}

/** Takes the secrets out of texts. They are read once a line, and only where there is a text: that takes milliseconds. */
function cleaner(secrets: () => readonly string[]): (text: string) => string {
  let read: readonly string[] | 'unreadable' | undefined;
  return (text) => {
    read ??= orUnreadable(secrets);
    return read === 'unreadable' ? leftOut : redact(text, read);
  };
}

function orUnreadable(secrets: () => readonly string[]): readonly string[] | 'unreadable' {
  try {
    return secrets();
  } catch {
    // The state is broken, which is worth a line more than ever: its event and code are told.
    return 'unreadable';
  }
}

function without({ error: _, ...rest }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return rest;
}

function wordsOf(error: Error, known: WeakSet<Error>): Readonly<Record<string, unknown>> {
  const [message = ''] = error.message.split('\n');
  const code = isCoppiceError(error) ? error.code : 'internal';
  const chain = withCauses(error);
  const isNew = !chain.some((link) => known.has(link));
  for (const link of chain) known.add(link);
  const stack = code === 'internal' || chain.some(isDefect) ? { stack: chain.map(stackOf).join('\ncaused by ') } : {};
  return { error: message, code, ...(isNew ? stack : {}) };
}

function withCauses(error: Error): readonly Error[] {
  const chain: Error[] = [];
  for (let link: unknown = error; link instanceof Error && !chain.includes(link); link = link.cause) chain.push(link);
  return chain;
}

/** What our own mistakes throw, whatever it was wrapped into on its way. */
function isDefect(error: Error): boolean {
  return error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
}

function stackOf(error: Error): string {
  return error.stack ?? String(error);
}

import { redact } from '@coppice/model';

const shownBytes = 1024 * 1024;
const longestLine = 4096;
const keptLines = 30;

/** The output of one step on its way to people: cleaned, redacted, cut; with its last lines kept for the message of a failure. */
export class StepOutput {
  private readonly say: (line: string) => void;
  private readonly secrets: readonly string[];
  private shown = 0;
  private readonly last: string[] = [];

  constructor(say: (line: string) => void, secrets: readonly string[]) {
    this.say = say;
    // the longest first, so that no rest of a longer one stays
    this.secrets = [...secrets].sort((a, b) => b.length - a.length);
  }

  /** Takes one line as the command printed it. */
  readonly add = (raw: string): void => {
    // somewhat more than is shown, so that a secret at the cut is still whole when it is looked for
    const short = raw.slice(0, 2 * longestLine);
    this.last.push(short);
    if (this.last.length > keptLines) this.last.shift();
    // a command that prints without end must not keep the server busy with cleaning what nobody sees
    if (this.shown > shownBytes) return;
    const line = this.clean(short);
    this.shown += Buffer.byteLength(line) + 1;
    this.say(this.shown > shownBytes ? 'more output than 1 MiB: the rest is not shown' : line);
  };

  /** The last lines, oldest first. */
  tail(): readonly string[] {
    return this.last.map((line) => this.clean(line));
  }

  private clean(line: string): string {
    const clean = redactOutput(cleanLine(line), this.secrets);
    return clean.length > longestLine ? `${clean.slice(0, longestLine)} …` : clean;
  }
}

/** Without control characters, terminal sequences and what turns the direction of text round; of a line drawn over, the last state. */
export function cleanLine(raw: string): string {
  const visible = raw.replace(/\r+$/, '').split('\r').at(-1) ?? '';
  return (
    visible
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must go
      .replace(/\u001b\][^\u0007\u001b]{0,4096}(?:\u0007|\u001b\\)?|\u001b\[[0-9;?]{0,64}[@-~]|\u001b[@-_]/g, '')
      .replace(/\t/g, '  ')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must go
      .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
  );
}

/** Without the secrets in any form that is known, and without names and passwords in URLs of any kind. */
export function redactOutput(line: string, secrets: readonly string[]): string {
  let safe = redact(line, secrets);
  // short ones that are left there: here they are passwords, and a word too many does no harm
  for (const secret of secrets) if (secret.length >= 3) safe = safe.replaceAll(secret, '***');
  return safe.replace(/(:\/\/)[^\s/@]{1,512}@/g, '$1***@');
}

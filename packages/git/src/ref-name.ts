const maxNameBytes = 244;
const emoji = /\p{RGI_Emoji}/gv;
const visible = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]*$/u;
/** Letters and marks that show nothing; U+2800 is the blank Braille pattern, U+FFFD stands for bytes that were no UTF-8. */
const unseen = /[\p{Default_Ignorable_Code_Point}\u2800\ufffd]/u;

/** The part of a ref a person typed: `main` of `refs/heads/main`; undefined where it is neither branch nor tag. */
export function shortRefName(ref: string): string | undefined {
  return /^refs\/(?:heads|tags)\/(.+)$/su.exec(ref)?.[1];
}

/**
 * Why a branch or tag may not be called `name`; undefined where it may. Stricter than git-check-ref-format(1): what looks like
 * another name, or like none, is refused, and so is what would not fit into a file name.
 */
export function refNameProblem(name: string): string | undefined {
  if (Buffer.byteLength(name, 'utf8') > maxNameBytes) return `the name is longer than ${maxNameBytes} bytes`;
  if (name.startsWith('-')) return 'the name starts with "-"';
  if (/\p{Cc}/u.test(name)) return 'the name holds a control character';
  if (/[\s\p{Z}]/u.test(name)) return `the name holds a space or a look-alike of one (${codePoint(name, /[\s\p{Z}]/u)})`;
  const rest = name.replace(emoji, '');
  if (unseen.test(rest)) return `the name holds an invisible character (${codePoint(rest, unseen)})`;
  if (!visible.test(rest)) return `the name holds a character that cannot be shown (${codePoint(rest, /[^\p{L}\p{M}\p{N}\p{P}\p{S}]/u)})`;
  if (name !== name.normalize('NFC')) return 'the name is not in Unicode form NFC, so it would look like another';
  return formatProblem(name);
}

function formatProblem(name: string): string | undefined {
  if (name === '' || name === '@' || /[~^:?*[\\]|\.\.|@\{/.test(name)) return 'git does not allow the name';
  for (const part of name.split('/')) {
    if (part === '' || part.startsWith('.') || part.endsWith('.') || part.endsWith('.lock')) return 'git does not allow the name';
  }
  return undefined;
}

function codePoint(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[0].codePointAt(0) ?? 0;
  return `U+${found.toString(16).toUpperCase().padStart(4, '0')}`;
}

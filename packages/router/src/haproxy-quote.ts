/**
 * One word of HAProxy's configuration that means exactly `text`: strong quotes, in which nothing is special (Configuration Manual
 * 2.6, section 2.2). Throws TypeError for control characters, which no quoting can carry.
 */
export function quoted(text: string): string {
  if (/\p{Cc}/u.test(text)) throw new TypeError('control character in a word of the configuration');
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** `text` for use inside a log-format string, where only `%` is special. */
export function literalFormat(text: string): string {
  return text.replaceAll('%', '%%');
}

const esc = String.fromCharCode(0x1b);
const bell = String.fromCharCode(0x07);
/** CSI, OSC and two-character escapes of ECMA-48. */
const sequences = new RegExp(`${esc}(?:\\[[0-?]*[ -/]*[@-~]|\\][^${bell}${esc}]*(?:${bell}|${esc}\\\\)?|.)`, 'gs');
const controls = /(?![\t\n])[\p{Cc}\p{Bidi_Control}]/gu;

/** `text` without terminal escapes, control characters (but tab and newline) and bidirectional overrides. */
export function plainText(text: string): string {
  return text.replace(sequences, '').replace(controls, '');
}

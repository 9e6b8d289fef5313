/** What a file may hold at most. Above these it is refused, so that no input costs more than a second. */
export const limits = {
  /** Bytes of one file. */
  fileBytes: 256 * 1024,
  /** Files that are read as one. */
  files: 32,
  /** Collections within collections, aliases expanded. */
  depth: 32,
  /** Keys and list entries of all files together, aliases expanded. */
  values: 20_000,
  /** Words and signs of one file, as the lexer counts them; two values take about fourteen. */
  lexemes: 150_000,
  /** UTF-16 units of one key. */
  keyLength: 512,
  /** What is reported at once; where there is more, the last one says how many. */
  diagnostics: 20,
} as const;

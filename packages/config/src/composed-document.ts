import { Composer, type CST, type Document, type ErrorCode, type YAMLParseError } from 'yaml';
import { limits } from './limits.ts';
import type { Report } from './report.ts';
import type { SourceText } from './source-text.ts';

/** Tokens to YAML nodes by the core schema of YAML 1.2, without merge keys. Undefined where the text is no YAML. */
export function composedDocument(tokens: readonly CST.Token[], source: SourceText, report: Report): Document.Parsed | undefined {
  // Duplicate keys are checked on our own: the library compares each with each.
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    merge: false,
    uniqueKeys: false,
    customTags: [],
    keepSourceTokens: false,
  });
  const document = withoutTraces(() => [...composer.compose(tokens, true, source.text.length)][0]);
  if (document === undefined) return undefined;
  const told = document.errors.slice(0, limits.diagnostics);
  for (const error of told) complain(error, source, report);
  report.more(document.errors.length - told.length);
  return document.errors.length === 0 ? (document as Document.Parsed) : undefined;
}

/** The library makes an error object per fault: 100,000 stack traces that nobody reads would take seconds. */
function withoutTraces<T>(compose: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return compose();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function complain(error: YAMLParseError, source: SourceText, report: Report): void {
  const at = source.position(error.pos[0]);
  const tab = indentingTab(source.text, error.pos[0]);
  if (tab !== undefined) {
    report.error({
      code: 'tab-indentation',
      at: source.position(tab),
      message: 'a tab may not indent',
      hint: 'indent with spaces, two per level',
    });
    return;
  }
  const known = error.message.includes('and end with a') ? unclosed : explanations[error.code];
  // The library's messages repeat parts of the file at times: the first line and no more.
  const message = known?.message ?? `this is no YAML: ${error.message.split('\n')[0]?.slice(0, 120) ?? ''}`;
  report.error({ code: 'invalid-yaml', at, message, hint: known?.hint });
}

/** The offset of a tab among the white space that starts the line of `offset`, or the line after it. */
function indentingTab(text: string, offset: number): number | undefined {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const nextStart = text.indexOf('\n', offset) + 1;
  for (const start of nextStart === 0 ? [lineStart] : [lineStart, nextStart]) {
    for (let at = start; text[at] === ' ' || text[at] === '\t'; at += 1) if (text[at] === '\t') return at;
  }
  return undefined;
}

interface Explanation {
  readonly message: string;
  readonly hint: string;
}

const unclosed: Explanation = { message: 'a [ or { above is not closed', hint: 'close it with ] or }' };

const explanations: Readonly<Partial<Record<ErrorCode, Explanation>>> = {
  BAD_INDENT: { message: 'the indentation does not fit the lines above', hint: 'keys of one map start in the same column' },
  BAD_SCALAR_START: { message: 'plain text may not start with this character', hint: 'put the text in quotes' },
  BAD_DQ_ESCAPE: { message: 'this is no escape of a double-quoted text', hint: "write \\\\ for a backslash, or use 'single quotes'" },
  BLOCK_AS_IMPLICIT_KEY: { message: 'a second ":" on one line', hint: 'put the text in quotes, or start the map on a line of its own' },
  BLOCK_IN_FLOW: { message: 'a block may not stand within { } or [ ]', hint: 'write it with braces or brackets throughout' },
  KEY_OVER_1024_CHARS: { message: 'the key is longer than 1024 characters', hint: 'a ":" may be missing or one too many' },
  MULTILINE_IMPLICIT_KEY: { message: 'a key may not go over several lines', hint: 'a ":" may be missing in the line above' },
  MULTIPLE_ANCHORS: { message: 'a value may have one anchor', hint: 'remove the second' },
  ALIAS_PROPS: { message: 'an alias may have no anchor', hint: 'remove the anchor' },
  BAD_ALIAS: { message: 'this is no alias', hint: 'put text that starts with * or & in quotes' },
};

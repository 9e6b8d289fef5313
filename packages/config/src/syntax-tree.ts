import { type CST, Lexer, Parser } from 'yaml';
import { limits } from './limits.ts';
import type { Report } from './report.ts';
import type { SourceText } from './source-text.ts';

/**
 * Lexes and parses without composing, and refuses what could hurt later: deep nesting, too many values, directives, tags,
 * several documents. Iterative, so that no input overflows the stack. Undefined where the file was refused.
 */
export function syntaxTree(source: SourceText, report: Report): readonly CST.Token[] | undefined {
  const tokens = parsed(source, report);
  if (tokens === undefined) return undefined;
  const documents = tokens.filter((token) => token.type === 'document');
  const directive = tokens.find((token) => token.type === 'directive');
  if (directive !== undefined) {
    unsupported(source, report, directive.offset, 'directives such as %YAML or %TAG are not read', 'remove the line; YAML 1.2 is read');
    return undefined;
  }
  const second = documents[1];
  if (second !== undefined) {
    unsupported(source, report, second.offset, 'the file holds several documents', 'remove the line "---"; there is one document per file');
    return undefined;
  }
  return isWithinLimits(documents, source, report) ? tokens : undefined;
}

function parsed(source: SourceText, report: Report): CST.Token[] | undefined {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(source.text)) {
    lexemes += 1;
    if (lexemes > limits.lexemes) {
      tooLarge(source, report, parser.offset, `the file has more than ${limits.lexemes} words and signs`);
      return undefined;
    }
    for (const token of parser.next(lexeme)) tokens.push(token);
    // A document and a scalar stand on the stack besides the collections.
    if (parser.stack.length > limits.depth + 2) {
      tooLarge(source, report, parser.offset, `the nesting is deeper than ${limits.depth}`);
      return undefined;
    }
  }
  for (const token of parser.end()) tokens.push(token);
  return tokens;
}

function isWithinLimits(documents: readonly CST.Token[], source: SourceText, report: Report): boolean {
  const waiting: CST.Token[] = [...documents];
  let values = 0;
  let isClean = true;
  for (let token = waiting.pop(); token !== undefined; token = waiting.pop()) {
    if (token.type === 'tag') {
      unsupported(source, report, token.offset, 'tags such as !!str or !include are not read', 'remove the tag; put text in quotes');
      isClean = false;
    }
    const below = childTokens(token);
    if (token.type === 'block-map' || token.type === 'block-seq' || token.type === 'flow-collection') values += token.items.length;
    if (values > limits.values) {
      tooLarge(source, report, token.offset, `the file has more than ${limits.values} keys and list entries`);
      return false;
    }
    for (const each of below) waiting.push(each);
  }
  return isClean;
}

function childTokens(token: CST.Token): CST.Token[] {
  switch (token.type) {
    case 'document':
      return [...token.start, ...(token.value === undefined ? [] : [token.value])];
    case 'block-scalar':
      return token.props;
    case 'block-map':
    case 'block-seq':
    case 'flow-collection':
      return token.items.flatMap((item) => [
        ...item.start,
        ...(item.key ? [item.key] : []),
        ...(item.sep ?? []),
        ...(item.value === undefined ? [] : [item.value]),
      ]);
    default:
      return [];
  }
}

function unsupported(source: SourceText, report: Report, offset: number, message: string, hint: string): void {
  report.error({ code: 'unsupported-yaml', at: source.position(offset), message, hint });
}

function tooLarge(source: SourceText, report: Report, offset: number, message: string): void {
  report.error({ code: 'file-too-large', at: source.position(offset), message, hint: 'long files can be split into .coppice/*.yaml' });
}

import { type Alias, type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type Scalar } from 'yaml';
import { limits } from './limits.ts';
import type { Place } from './place.ts';
import { quote } from './quote.ts';
import type { Finding, Report } from './report.ts';
import type { SourceText } from './source-text.ts';

/** Plain data as JSON has it, and where each part of it stands. */
export interface LocatedData {
  readonly data: unknown;
  readonly place: Place;
}

/** How many values all files may still have. Shared by the files of one reading. */
export interface ValueBudget {
  left: number;
}

/**
 * YAML nodes to plain data. Finds duplicate keys, keys that are no text, reserved names, numbers that cannot be exact, and
 * aliases to nothing or to themselves; those parts are left out and reported. Aliases are copied, within the budget.
 * Undefined where the budget or the depth is used up.
 */
export function documentData(document: Document.Parsed, source: SourceText, report: Report, budget: ValueBudget): LocatedData | undefined {
  const conversion: Conversion = { source, report, budget, anchors: new Map(), open: new Set() };
  const start = source.position(0);
  if (document.contents === null) return { data: null, place: leaf(start, start, undefined) };
  const at = positionOf(document.contents, conversion) ?? start;
  const converted = convert(document.contents, at, 0, conversion);
  return converted === refused || converted === omitted ? undefined : converted;
}

interface Conversion {
  readonly source: SourceText;
  readonly report: Report;
  readonly budget: ValueBudget;
  readonly anchors: Map<string, Node>;
  /** Anchors whose value is being converted: an alias to one of them would never end. */
  readonly open: Set<string>;
}

type Position = Place['key'];
/** The whole file is refused. */
const refused = Symbol('refused');
/** This value was reported and is left out, with its key. */
const omitted = Symbol('omitted');
type Converted = LocatedData | typeof refused | typeof omitted;

function convert(node: unknown, keyAt: Position, depth: number, conversion: Conversion): Converted {
  conversion.budget.left -= 1;
  if (depth > limits.depth || conversion.budget.left < 0) {
    const message =
      depth > limits.depth
        ? `the nesting is deeper than ${limits.depth}`
        : `the file has more than ${limits.values} keys and list entries, aliases expanded`;
    conversion.report.error({ code: 'file-too-large', at: keyAt, message });
    return refused;
  }
  if (isAlias(node)) return convertAlias(node, keyAt, depth, conversion);
  const anchor = anchorOf(node);
  if (anchor !== undefined) define(anchor, node as Node, keyAt, conversion);
  const converted = convertPlain(node, keyAt, depth, conversion);
  if (anchor !== undefined) conversion.open.delete(anchor);
  return converted;
}

function convertPlain(node: unknown, keyAt: Position, depth: number, conversion: Conversion): Converted {
  const at = positionOf(node, conversion) ?? keyAt;
  if (isMap(node)) return convertMap(node.items, { keyAt, at }, depth, conversion);
  if (isSeq(node)) return convertList(node.items, { keyAt, at }, depth, conversion);
  if (isScalar(node)) return convertScalar(node, { keyAt, at }, conversion);
  return { data: null, place: leaf(keyAt, keyAt, undefined) };
}

interface Standing {
  readonly keyAt: Position;
  readonly at: Position;
}

function convertMap(pairs: readonly Pair[], standing: Standing, depth: number, conversion: Conversion): Converted {
  const data: Record<string, unknown> = {};
  const children = new Map<string, Place>();
  for (const pair of pairs) {
    const keyAt = positionOf(pair.key, conversion) ?? standing.at;
    const key = keyText(pair.key, keyAt, conversion);
    if (key === undefined) continue;
    const earlier = children.get(key);
    if (earlier !== undefined) {
      const hint = `the first is in line ${earlier.key.line}`;
      conversion.report.error({ code: 'duplicate-key', at: keyAt, message: `the key ${quote(key)} stands here twice`, hint });
      continue;
    }
    const converted = convert(pair.value, keyAt, depth + 1, conversion);
    if (converted === refused) return refused;
    if (converted === omitted) continue;
    data[key] = converted.data;
    children.set(key, converted.place);
  }
  return { data, place: { key: standing.keyAt, value: standing.at, written: undefined, children } };
}

function convertList(entries: readonly unknown[], standing: Standing, depth: number, conversion: Conversion): Converted {
  const data: unknown[] = [];
  const children = new Map<string, Place>();
  for (const entry of entries) {
    const converted = convert(entry, positionOf(entry, conversion) ?? standing.at, depth + 1, conversion);
    if (converted === refused) return refused;
    if (converted === omitted) continue;
    children.set(String(data.length), converted.place);
    data.push(converted.data);
  }
  return { data, place: { key: standing.keyAt, value: standing.at, written: undefined, children } };
}

function convertAlias(alias: Alias.Parsed | Alias, keyAt: Position, depth: number, conversion: Conversion): Converted {
  const at = positionOf(alias, conversion) ?? keyAt;
  const target = conversion.anchors.get(alias.source);
  const isOpen = conversion.open.has(alias.source);
  if (target === undefined || isOpen) {
    const message = isOpen
      ? `the alias ${quote(alias.source)} stands within its own value`
      : `no anchor ${quote(alias.source)} stands above`;
    conversion.report.error({ code: 'invalid-alias', at, message, hint: 'put text that starts with * in quotes' });
    return omitted;
  }
  conversion.open.add(alias.source);
  const converted = convertPlain(target, keyAt, depth, conversion);
  conversion.open.delete(alias.source);
  return converted;
}

function define(anchor: string, node: Node, at: Position, conversion: Conversion): void {
  const earlier = conversion.anchors.get(anchor);
  if (earlier !== undefined && earlier !== node) {
    conversion.report.error({
      code: 'invalid-alias',
      at,
      message: `the anchor ${quote(anchor)} is defined twice`,
      hint: 'give each its own name',
    });
    return;
  }
  conversion.anchors.set(anchor, node);
  conversion.open.add(anchor);
}

function anchorOf(node: unknown): string | undefined {
  return isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined;
}

/** The key as text, or undefined where it cannot be one. Numbers and the like are taken as they are written. */
function keyText(node: unknown, at: Position, conversion: Conversion): string | undefined {
  const complain = (finding: Omit<Finding, 'at'>) => {
    conversion.report.error({ ...finding, at });
    return undefined;
  };
  if (!isScalar(node) || node.value === null) {
    return complain({ code: 'invalid-yaml', message: 'a key must be text', hint: 'put it in quotes' });
  }
  const text = typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
  if (text === '<<') {
    return complain({ code: 'unsupported-yaml', message: 'merge keys (<<) are not read', hint: 'write the keys out' });
  }
  if (text in Object.prototype || text === 'prototype') {
    return complain({ code: 'reserved-name', message: `${quote(text)} cannot be used as a name`, hint: 'choose another one' });
  }
  if (text.length > limits.keyLength) {
    return complain({ code: 'file-too-large', message: `a key is longer than ${limits.keyLength} characters` });
  }
  if (text.includes('\0')) return complain({ code: 'invalid-encoding', message: 'a key may not hold the character U+0000' });
  return text;
}

function convertScalar(node: Scalar, standing: Standing, conversion: Conversion): Converted {
  const { at } = standing;
  const value = node.value;
  if (typeof value === 'string' && value.includes('\0')) {
    conversion.report.error({ code: 'invalid-encoding', at, message: 'text may not hold the character U+0000' });
    return omitted;
  }
  const isInexact = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
  if (typeof value === 'bigint' || (typeof value === 'number' && (isInexact || !Number.isFinite(value)))) {
    const message = `${quote(node.source ?? String(value))} is no number that can be kept exactly`;
    conversion.report.error({ code: 'invalid-number', at, message, hint: 'put it in quotes where it is text' });
    return omitted;
  }
  return { data: value, place: leaf(standing.keyAt, at, node.source) };
}

function positionOf(node: unknown, conversion: Conversion): Position | undefined {
  const isNode = isMap(node) || isSeq(node) || isScalar(node) || isAlias(node);
  return isNode && node.range ? conversion.source.position(node.range[0]) : undefined;
}

function leaf(key: Position, value: Position, written: string | undefined): Place {
  return { key, value, written, children: new Map() };
}

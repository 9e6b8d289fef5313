import { type NodeSpec, nodeFieldChange } from '@coppice/model';
import { diffValues } from './diff-values.ts';
import type { Reason } from './plan-value.ts';

const longest = 60;
const mostPerField = 4;

/** Why a node whose spec was `before` must be replaced by one that is `after`: every field whose change replaces, then the image. */
export function replaceReasons(before: NodeSpec, after: NodeSpec): readonly Reason[] {
  const reasons: Reason[] = [];
  if (before.image.manifest !== after.image.manifest) reasons.push(...imageReasons(before, after));
  for (const field of Object.keys(nodeFieldChange) as (keyof NodeSpec)[]) {
    if (nodeFieldChange[field] === 'replace' && field !== 'image') reasons.push(...fieldReasons(field, before[field], after[field]));
  }
  return reasons;
}

/** The reasons for one field: a line per place that differs, the rest counted. */
export function fieldReasons(field: string, before: unknown, after: unknown): readonly Reason[] {
  if (isText(before) && isText(after) && before.join(' ') !== after.join(' ')) {
    return [reasonOf(field, before.join(' '), after.join(' '))];
  }
  const changes = diffValues(before, after).map(({ path, from, to }) => {
    const joint = path === '' || path.startsWith('[') ? '' : '.';
    return reasonOf(`${field}${joint}${path}`, readable(from), readable(to));
  });
  if (changes.length <= mostPerField) return changes;
  const rest = changes.length - mostPerField;
  return [
    ...changes.slice(0, mostPerField),
    { kind: 'drift', detail: `${field}: ${rest} more ${rest === 1 ? 'place' : 'places'} changed` },
  ];
}

/** What became of an image, by what it was made of; the digests themselves where nothing is known of that. */
function imageReasons(before: NodeSpec, after: NodeSpec): readonly Reason[] {
  const reasons: Reason[] = [];
  const [from, to] = [before.trace, after.trace];
  if (from.sourceTree !== to.sourceTree) {
    reasons.push({ kind: 'image', what: 'source tree', from: short(from.sourceTree), to: short(to.sourceTree) });
  }
  if (from.type !== to.type || from.version !== to.version) {
    reasons.push({ kind: 'image', what: 'type version', from: versionOf(before), to: versionOf(after) });
  }
  if (reasons.length > 0) return reasons;
  return [{ kind: 'image', what: 'base', from: short(before.image.manifest.slice(7)), to: short(after.image.manifest.slice(7)) }];
}

function versionOf({ trace }: NodeSpec): string {
  return `${trace.type} ${trace.version}`;
}

function short(id: string | undefined): string {
  return id === undefined ? 'none' : id.slice(0, 7);
}

function reasonOf(field: string, from: string, to: string): Reason {
  return { kind: 'field', field, from: cut(from), to: cut(to) };
}

/** Whole records are compared inside, so one that comes here is new or gone: what it holds would only be noise. */
function readable(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'string') return value === '' ? '""' : value;
  return typeof value === 'object' && !Array.isArray(value) ? 'declared' : JSON.stringify(value);
}

function cut(text: string): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}

function isText(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string');
}

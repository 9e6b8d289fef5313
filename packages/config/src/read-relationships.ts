import type { SourcePosition, TopologyRelationship } from '@coppice/model';
import { type Cursor, entries, items, narrowed, valueAt } from './cursor.ts';
import type { DeclaredNode } from './declared-nodes.ts';
import { suggestion } from './nearest-name.ts';
import { listed, quote } from './quote.ts';
import type { RawRelationship, RawRelationships } from './raw-file.ts';
import type { Reading } from './reading.ts';

/** A relationship and where the file says so. */
export interface PlacedRelationship extends TopologyRelationship {
  readonly at: SourcePosition;
}

interface Wanted {
  readonly name: string;
  readonly target: string;
  readonly endpoint: string | undefined;
  readonly at: SourcePosition;
}

/** Relationships of `owner`, sorted by name. Those to nothing, to itself or to an endpoint that is not there are reported and left out. */
export function readRelationships(
  owner: string,
  cursor: Cursor<RawRelationships> | undefined,
  reading: Reading,
): readonly PlacedRelationship[] {
  const found = new Map<string, PlacedRelationship>();
  const prefixes = new Map<string, string>();
  for (const wanted of cursor === undefined ? [] : wantedOf(cursor)) {
    const prefix = wanted.name.toUpperCase().replaceAll('-', '_');
    const clash = prefixes.get(prefix);
    if (clash !== undefined) {
      const message = `relationships: ${quote(wanted.name)} ${clash === wanted.name ? 'stands here twice' : `and ${quote(clash)} would set the same variables`}`;
      reading.report.error({ code: 'relationship-clash', at: wanted.at, message, hint: `variables start with ${prefix}_` });
      continue;
    }
    prefixes.set(prefix, wanted.name);
    const relationship = resolve(owner, wanted, reading);
    if (relationship !== undefined) found.set(wanted.name, relationship);
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function wantedOf(cursor: Cursor<RawRelationships>): Wanted[] {
  const list = cursor.value;
  if (Array.isArray(list))
    return items(narrowed(cursor, list as readonly string[])).map((item) => fromText(undefined, item.value, valueAt(item)));
  return entries(narrowed(cursor, list as Readonly<Record<string, RawRelationship>>)).map((entry) => {
    const { name, value } = entry;
    if (value === null) return { name, target: name, endpoint: undefined, at: entry.place.key };
    if (typeof value === 'string') return fromText(name, value, valueAt(entry));
    const at = entry.place.children.get('service')?.value ?? valueAt(entry);
    return { name, target: value.service, endpoint: value.endpoint ?? undefined, at };
  });
}

/** `db` or `db:postgresql`. */
function fromText(name: string | undefined, text: string, at: SourcePosition): Wanted {
  const [target = '', endpoint] = text.split(':');
  return { name: name ?? target, target, endpoint, at };
}

function resolve(owner: string, wanted: Wanted, reading: Reading): PlacedRelationship | undefined {
  const { report, nodes } = reading;
  const { at } = wanted;
  if (wanted.target === owner) {
    report.error({ code: 'relationship-cycle', at, message: `relationships: ${owner} has a relationship to itself`, hint: 'remove it' });
    return undefined;
  }
  const target = nodes.get(wanted.target);
  if (target === undefined) {
    const hint = () =>
      suggestion(
        wanted.target,
        [...nodes.values()].filter((node) => node.kind !== 'worker').map((node) => node.name),
      );
    report.error({ code: 'unknown-node', at, message: `relationships: no service or application is named ${quote(wanted.target)}`, hint });
    return undefined;
  }
  if (target.kind === 'worker') {
    report.error({ code: 'unknown-node', at, message: `relationships: ${target.name} is a worker, and nothing connects to workers` });
    return undefined;
  }
  return withEndpoint(wanted, target, reading);
}

function withEndpoint(wanted: Wanted, target: DeclaredNode, reading: Reading): PlacedRelationship | undefined {
  const endpoint = wanted.endpoint ?? target.defaultEndpoint;
  if (wanted.endpoint !== undefined && target.endpoints !== undefined && !target.endpoints.includes(wanted.endpoint)) {
    const endpoints = target.endpoints;
    const hint = () => {
      const guess = suggestion(endpoint, endpoints);
      return guess.startsWith('did') ? guess : `it has ${listed(endpoints)}`;
    };
    const message = `relationships: ${target.name} has no endpoint ${quote(endpoint)}`;
    reading.report.error({ code: 'unknown-endpoint', at: wanted.at, message, hint });
    return undefined;
  }
  return { name: wanted.name, node: target.name, endpoint, at: wanted.at };
}

/** The relationship as the topology has it. */
export function withoutPosition(relationship: PlacedRelationship): TopologyRelationship {
  return { name: relationship.name, node: relationship.node, endpoint: relationship.endpoint };
}

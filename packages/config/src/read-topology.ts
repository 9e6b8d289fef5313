import type { Topology, TopologyNode, TypeDirectory } from '@coppice/model';
import { type Cursor, child, entries, keyAt } from './cursor.ts';
import { declaredNodes } from './declared-nodes.ts';
import type { LocatedData } from './document-data.ts';
import { quote } from './quote.ts';
import type { RawFile } from './raw-file.ts';
import { readApplication } from './read-application.ts';
import { readBackups, readDataPolicy } from './read-data-policy.ts';
import { readEnvironments } from './read-environments.ts';
import type { PlacedRelationship } from './read-relationships.ts';
import { defaultRoutes, readRoutes } from './read-routes.ts';
import { readService } from './read-service.ts';
import type { Reading } from './reading.ts';
import { checkCycles } from './relationship-cycles.ts';
import type { Report } from './report.ts';

/** What the shape is read against. */
export interface TopologyContext {
  readonly types: TypeDirectory;
  readonly report: Report;
  /** The data before faulty parts were left out. */
  readonly everything: LocatedData;
}

/** From the sound shape to the topology with all defaults, checking what a schema cannot say. Meaningless where the report has errors. */
export function readTopology(file: Cursor<RawFile>, context: TopologyContext): Topology {
  const { types, report, everything } = context;
  const nearestVersion = file.value.catalog?.nearest ?? 'exact';
  const reading: Reading = { report, types, nearestVersion, nodes: declaredNodes(file, everything, { types, nearestVersion, report }) };
  const nodes = readNodes(file, reading);
  const routes = child(file, 'routes');
  const hasFaultyNodes = [...reading.nodes.values()].some((node) => node.kind === 'application' && node.origin === undefined);
  return {
    v: 1,
    nodes,
    // A faulty application would make the remaining one look like the only one.
    routes: routes ? readRoutes(routes, reading) : hasFaultyNodes ? [] : defaultRoutes(nodes, child(file, 'applications') ?? file, reading),
    environments: readEnvironments(child(file, 'environments'), nodes, reading),
    data: readDataPolicy(file, reading),
    backups: readBackups(file, reading),
    nearestVersion,
  };
}

function readNodes(file: Cursor<RawFile>, reading: Reading): readonly TopologyNode[] {
  const nodes: TopologyNode[] = [];
  const needs = new Map<string, readonly PlacedRelationship[]>();
  const movedTo = new Map<string, string>();
  for (const application of entries(child(file, 'applications'))) {
    const declared = reading.nodes.get(application.name);
    if (declared === undefined) continue;
    checkMoved(application, movedTo, reading);
    const read = readApplication(application, declared, reading);
    nodes.push(...read.nodes);
    for (const [name, relationships] of read.needs) needs.set(name, relationships);
  }
  for (const service of entries(child(file, 'services'))) {
    const declared = reading.nodes.get(service.name);
    // Where an application has the same name, that was reported.
    if (declared === undefined || declared.kind !== 'service') continue;
    checkMoved(service, movedTo, reading);
    const read = readService(service, declared, reading);
    nodes.push(read.node);
    needs.set(service.name, read.needs);
  }
  checkCycles(needs, reading.report);
  return nodes.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A node cannot have moved from a name that is still in use, or that another has moved from: `movedTo` has those by their old name. */
function checkMoved(
  node: Cursor<string | { readonly moved?: { readonly from: string } }>,
  movedTo: Map<string, string>,
  reading: Reading,
): void {
  if (typeof node.value === 'string' || node.value.moved === undefined) return;
  const from = node.value.moved.from;
  const at = node.place.children.get('moved')?.children.get('from')?.value ?? keyAt(node);
  const other = movedTo.get(from);
  movedTo.set(from, node.name);
  if (reading.nodes.has(from)) {
    const hint = 'name what it was called before';
    reading.report.error({ code: 'invalid-value', at, message: `moved: ${quote(from)} is still declared`, hint });
  } else if (other !== undefined) {
    const message = `moved: ${quote(from)} is where the data of ${quote(other)} comes from`;
    reading.report.error({ code: 'invalid-value', at, message, hint: 'only one node can have it' });
  }
}

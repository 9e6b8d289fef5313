import { type DirectoryEntry, type NodeName, nodeNamePattern, type SourcePosition, type TypeDirectory } from '@coppice/model';
import { type Cursor, child, entries, narrowed } from './cursor.ts';
import type { LocatedData } from './document-data.ts';
import type { Place } from './place.ts';
import { quote } from './quote.ts';
import type { RawFile, RawService } from './raw-file.ts';
import { type Origin, readOrigin, readType } from './read-origin.ts';
import type { Report } from './report.ts';

/** A name of the graph and what others must know of it. */
export interface DeclaredNode {
  readonly name: NodeName;
  readonly kind: 'application' | 'worker' | 'service';
  /** Where its key stands. */
  readonly at: SourcePosition;
  /** Undefined where it could not be read, and for workers. */
  readonly origin: Origin | undefined;
  /** Undefined: not known, any will do. */
  readonly endpoints: readonly string[] | undefined;
  readonly defaultEndpoint: string;
  /** Whether a route may lead to it. */
  readonly servesHttp: boolean;
}

/** What the names are read against. */
export interface DeclarationContext {
  readonly types: TypeDirectory;
  readonly nearestVersion: 'exact' | 'newer';
  readonly report: Report;
}

const longestWorkerName = 63;

/**
 * Every application, worker and service by name. `everything` is the data before faulty parts were left out: who points at a node
 * whose declaration is faulty is not told that there is none. One name for two nodes is an error.
 */
export function declaredNodes(file: Cursor<RawFile>, everything: LocatedData, context: DeclarationContext): Map<string, DeclaredNode> {
  const nodes = new Map<string, DeclaredNode>();
  for (const application of entries(child(file, 'applications'))) {
    const origin = readOrigin(application, { ...context, kind: 'application' });
    const endpoints = endpointsOf(origin, []);
    const servesHttp = application.value.web?.enabled !== false && hasHttp(endpoints);
    declare({ name: application.name, kind: 'application', at: application.place.key, origin, endpoints, servesHttp }, nodes, context);
    for (const worker of entries(child(application, 'workers'))) declareWorker(application.name, worker, nodes, context);
  }
  for (const service of entries(child(file, 'services'))) {
    const origin = serviceOrigin(service, context);
    const own = typeof service.value === 'string' ? [] : Object.keys(service.value.configuration?.endpoints ?? {});
    const endpoints = endpointsOf(origin, own);
    const servesHttp = hasHttp(endpoints);
    declare({ name: service.name, kind: 'service', at: service.place.key, origin, endpoints, servesHttp }, nodes, context);
  }
  for (const [section, kind] of [
    ['applications', 'application'],
    ['services', 'service'],
  ] as const) {
    for (const [name, place] of everything.place.children.get(section)?.children ?? new Map<string, Place>()) {
      const unread = { origin: undefined, endpoints: undefined, defaultEndpoint: '', servesHttp: true };
      if (!nodes.has(name)) nodes.set(name, { name: name as NodeName, kind, at: place.key, ...unread });
    }
  }
  return nodes;
}

function serviceOrigin(service: Cursor<string | RawService>, context: DeclarationContext): Origin | undefined {
  const withKind = { ...context, kind: 'service' } as const;
  return typeof service.value === 'string'
    ? readType(narrowed(service, service.value), withKind)
    : readOrigin(narrowed(service, service.value), withKind);
}

function endpointsOf(origin: Origin | undefined, own: readonly string[]): readonly string[] | undefined {
  return origin?.entry && [...origin.entry.endpoints, ...own];
}

function hasHttp(endpoints: readonly string[] | undefined): boolean {
  return endpoints === undefined || endpoints.includes('http');
}

function declareWorker(application: string, worker: Cursor<unknown>, nodes: Map<string, DeclaredNode>, context: DeclarationContext): void {
  const name = `${application}--${worker.name}`;
  if (name.length > longestWorkerName) {
    const message = `workers: the names ${quote(application)} and ${quote(worker.name)} are longer than ${longestWorkerName - 2} characters together`;
    context.report.error({ code: 'invalid-value', at: worker.place.key, message });
  }
  declare({ name, kind: 'worker', at: worker.place.key, origin: undefined, endpoints: [], servesHttp: false }, nodes, context);
}

function declare(
  node: Omit<DeclaredNode, 'name' | 'defaultEndpoint'> & { readonly name: string },
  nodes: Map<string, DeclaredNode>,
  context: DeclarationContext,
): void {
  const earlier = nodes.get(node.name);
  if (earlier !== undefined) {
    const message = `${quote(node.name)} is the name of ${article(earlier.kind)} already`;
    const hint = `applications and services share one set of names; the other is in line ${earlier.at.line} of ${earlier.at.file}`;
    context.report.error({ code: 'declared-twice', at: node.at, message, hint });
    return;
  }
  const name = parseNodeName(node.name);
  if (name !== undefined) nodes.set(node.name, { ...node, name, defaultEndpoint: defaultEndpoint(node.kind, node.origin?.entry) });
}

function defaultEndpoint(kind: DeclaredNode['kind'], entry: DirectoryEntry | undefined): string {
  return entry?.defaultEndpoint ?? (kind === 'application' ? 'http' : 'default');
}

function article(kind: DeclaredNode['kind']): string {
  return kind === 'application' ? 'an application' : `a ${kind}`;
}

/** The name of a node, or undefined where the text cannot be one. */
export function parseNodeName(text: string): NodeName | undefined {
  return nodeNamePattern.test(text) ? (text as NodeName) : undefined;
}

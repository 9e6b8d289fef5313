import type { ServiceConfiguration, ServiceEndpoint, ServiceNode } from '@coppice/model';
import { type Cursor, child, entries, keyAt, narrowed, scalarText, valueAt } from './cursor.ts';
import { type DeclaredNode, parseNodeName } from './declared-nodes.ts';
import { suggestion } from './nearest-name.ts';
import { quote } from './quote.ts';
import type { RawEndpoint, RawScalar, RawService, RawServiceConfiguration } from './raw-file.ts';
import { type PlacedRelationship, readRelationships, withoutPosition } from './read-relationships.ts';
import { readSizes } from './read-resources.ts';
import type { Reading } from './reading.ts';

/** A service and what it needs. */
export interface ReadService {
  readonly node: ServiceNode;
  readonly needs: readonly PlacedRelationship[];
}

/** Reads one service; the type alone is the short form. */
export function readService(service: Cursor<string | RawService>, declared: DeclaredNode, reading: Reading): ReadService {
  const full = narrowed(service, typeof service.value === 'string' ? { type: service.value } : service.value);
  const needs = readRelationships(declared.name, child(full, 'relationships'), reading);
  const pin = child(full, 'version');
  const node: ServiceNode = {
    kind: 'service',
    name: declared.name,
    origin: declared.origin?.origin ?? { kind: 'image', reference: '' },
    configuration: readServiceConfiguration(child(full, 'configuration'), declared, reading),
    relationships: needs.map(withoutPosition),
    resources: readSizes(full, reading.report),
    versionPin: pin && scalarText(pin),
    movedFrom: full.value.moved && parseNodeName(full.value.moved.from),
  };
  return { node, needs };
}

function readServiceConfiguration(
  configuration: Cursor<RawServiceConfiguration> | undefined,
  declared: DeclaredNode,
  reading: Reading,
): ServiceConfiguration {
  const schemas = configuration?.value.schemas ?? [];
  const endpoints: Record<string, ServiceEndpoint> = {};
  for (const endpoint of entries(configuration && child(configuration, 'endpoints'))) {
    endpoints[endpoint.name] = readEndpoint(endpoint, schemas, reading);
  }
  const properties: Record<string, string | number | boolean> = {};
  for (const property of entries(configuration && child(configuration, 'properties'))) {
    checkProperty(property, declared, reading);
    properties[property.name] = property.value;
  }
  return { schemas, endpoints, properties };
}

/** Where no schemas are given the type's own name is not known here, and nothing is compared. */
function readEndpoint(endpoint: Cursor<RawEndpoint>, schemas: readonly string[], reading: Reading): ServiceEndpoint {
  const schema = child(endpoint, 'default_schema');
  if (schema !== undefined) checkSchema(schema.value, valueAt(schema), schemas, reading);
  for (const privilege of entries(child(endpoint, 'privileges'))) checkSchema(privilege.name, keyAt(privilege), schemas, reading);
  return { defaultSchema: schema?.value, privileges: endpoint.value.privileges ?? {} };
}

function checkSchema(name: string, at: PlacedRelationship['at'], schemas: readonly string[], reading: Reading): void {
  if (schemas.length === 0 || schemas.includes(name)) return;
  const hint = () => suggestion(name, schemas);
  reading.report.error({ code: 'unknown-schema', at, message: `endpoints: no schema is named ${quote(name)}`, hint });
}

function checkProperty(property: Cursor<RawScalar>, declared: DeclaredNode, reading: Reading): void {
  const entry = declared.origin?.entry;
  if (entry === undefined || entry.properties.includes(property.name)) return;
  const message = `properties: ${entry.name} has no property ${quote(property.name)}`;
  const hint = () => suggestion(property.name, entry.properties);
  reading.report.error({ code: 'unknown-property', at: keyAt(property), message, hint });
}

import { createHash } from 'node:crypto';
import type { EnvironmentSpec, NodeName, NodeSpec, RelationshipSpec } from '@coppice/model';

/** Where secrets come from: made at first use, the same afterwards. */
export type ObtainSecret = (name: string) => string;

/** The user a relationship logs in as. A worker shares its application's, so that both own the same tables. */
export function relationshipUser(node: NodeSpec, relationship: RelationshipSpec): string {
  const owner = node.kind === 'worker' ? (node.name.split('--')[0] ?? node.name) : node.name;
  const plain = `${owner}_${relationship.name}`.toLowerCase().replace(/[^a-z0-9_]/g, '_');
  const exact = plain === `${owner}_${relationship.name}` && plain.length <= 40;
  return exact ? plain : `${plain.slice(0, 33)}_${createHash('sha256').update(`${owner}\0${relationship.name}`).digest('hex').slice(0, 6)}`;
}

/** Name and password of a relationship. */
export function credentialsOf(
  node: NodeSpec,
  relationship: RelationshipSpec,
  obtain: ObtainSecret,
): { readonly username: string; readonly password: string } {
  const username = relationshipUser(node, relationship);
  return { username, password: obtain(`relationship/${relationship.node}/${username}`) };
}

/** What a service's provisioning reads on standard input: a line per schema and per user that reaches it, see docs/reference/catalog.md. */
export function provisionInput(service: NodeSpec, spec: EnvironmentSpec, obtain: ObtainSecret): string {
  const lines = new Set<string>();
  const schemas = service.provision?.schemas ?? [];
  for (const schema of schemas) lines.add(`schema\t${schema}`);
  for (const { node, relationship } of relationshipsTo(service.name, spec)) {
    if (!relationship.credentials) continue;
    const { username, password } = credentialsOf(node, relationship, obtain);
    lines.add(`user\t${username}\t${password}\t${grants(relationship, schemas)}`);
  }
  return lines.size === 0 ? '' : `${[...lines].join('\n')}\n`;
}

function grants(relationship: RelationshipSpec, schemas: readonly string[]): string {
  const declared = Object.entries(relationship.privileges);
  const granted = declared.length > 0 ? declared : schemas.map((schema) => [schema, 'admin'] as const);
  return granted.map(([schema, privilege]) => `${schema}=${privilege}`).join(',');
}

function relationshipsTo(target: NodeName, spec: EnvironmentSpec): { readonly node: NodeSpec; readonly relationship: RelationshipSpec }[] {
  return spec.nodes.flatMap((node) =>
    node.relationships.filter((relationship) => relationship.node === target).map((relationship) => ({ node, relationship })),
  );
}

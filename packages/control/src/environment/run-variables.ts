import type { EnvironmentSpec, NodeSpec, RelationshipSpec } from '@coppice/model';
import { applicationPort } from '../release/resolve-node.ts';

/** What the variables of a node's processes are made of besides its specification. */
export interface RunContext {
  readonly project: string;
  readonly environment: string;
  readonly branch: string;
  readonly commit: string;
  readonly tree: string;
  readonly spec: EnvironmentSpec;
  /** Public URLs by the original URL of the route. */
  readonly routes: Readonly<Record<string, { readonly url: string; readonly upstream: string | undefined; readonly primary: boolean }>>;
  /** Name and password of a relationship. */
  readonly credentials: (node: NodeSpec, relationship: RelationshipSpec) => { readonly username: string; readonly password: string };
}

/** The names that containers find each other by. */
export function relationshipHost(relationship: RelationshipSpec): string {
  return `${relationship.name.toLowerCase().replaceAll('_', '-')}.internal`;
}

/**
 * All variables of a process of `node`, secrets included: never stored, never logged. Services get their declared ones only.
 * What the file sets replaces what a relationship gives, never what the platform sets. PLATFORM_VARIABLES is empty: on Upsun it holds the
 * variables of other prefixes than `env`, which are not passed on yet (https://docs.upsun.com/create-apps/image-properties/variables.html).
 * PLATFORM_TREE_ID, COPPICE_COMMIT and COPPICE_RELEASE say what was deployed when the instance started.
 */
export function runVariables(node: NodeSpec, context: RunContext): Readonly<Record<string, string>> {
  if (node.kind === 'service') return node.variables;
  const relationships = node.relationships.map((relationship) => describeRelationship(node, relationship, context));
  const variables: Record<string, string> = {};
  for (const relationship of relationships) Object.assign(variables, relationshipVariables(relationship));
  return {
    ...variables,
    ...node.variables,
    ...(node.ports['http'] === undefined ? {} : { PORT: String(applicationPort) }),
    PLATFORM_RELATIONSHIPS: encode(Object.fromEntries(relationships.map((relationship) => [relationship.rel, [relationship]]))),
    PLATFORM_ROUTES: encode(context.routes),
    PLATFORM_VARIABLES: encode({}),
    PLATFORM_APPLICATION_NAME: node.name,
    PLATFORM_APP_DIR: '/app',
    PLATFORM_BRANCH: context.branch,
    PLATFORM_ENVIRONMENT: context.environment,
    PLATFORM_PROJECT: context.project,
    PLATFORM_TREE_ID: context.tree,
    COPPICE_COMMIT: context.commit,
    COPPICE_RELEASE: context.spec.release,
  };
}

interface RelationshipView {
  readonly rel: string;
  readonly service: string;
  readonly host: string;
  readonly port: number;
  readonly scheme: string;
  readonly path: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly query: { readonly is_master: true };
  readonly url: string;
}

function describeRelationship(node: NodeSpec, relationship: RelationshipSpec, context: RunContext): RelationshipView {
  const host = relationshipHost(relationship);
  const user = relationship.credentials ? context.credentials(node, relationship) : undefined;
  const login = user ? `${encodeURIComponent(user.username)}:${encodeURIComponent(user.password)}@` : '';
  return {
    ...relationship.extra,
    rel: relationship.name,
    service: relationship.node,
    host,
    port: relationship.port,
    scheme: relationship.scheme,
    path: relationship.path,
    username: user?.username ?? null,
    password: user?.password ?? null,
    query: { is_master: true },
    url: `${relationship.scheme}://${login}${host}:${relationship.port}${relationship.path === '' ? '' : `/${relationship.path}`}`,
  };
}

function relationshipVariables(relationship: RelationshipView): Record<string, string> {
  const prefix = relationship.rel.toUpperCase().replace(/[^A-Z0-9]/g, '_');
  return {
    [`${prefix}_HOST`]: relationship.host,
    [`${prefix}_PORT`]: String(relationship.port),
    [`${prefix}_SCHEME`]: relationship.scheme,
    [`${prefix}_PATH`]: relationship.path,
    [`${prefix}_URL`]: relationship.url,
    ...(relationship.username === null ? {} : { [`${prefix}_USERNAME`]: relationship.username }),
    ...(relationship.password === null ? {} : { [`${prefix}_PASSWORD`]: relationship.password }),
  };
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}

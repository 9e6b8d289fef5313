import { type Digest, digestOf, type NodeName } from './identifiers.ts';
import type { Resources } from './resources.ts';
import type { EgressRule } from './topology.ts';

export type NodeKind = 'application' | 'worker' | 'service' | 'function';

/** An image by content. Addresses of registries never enter. */
export interface ImagePin {
  /** Digest of the OCI manifest. */
  readonly manifest: Digest;
  /** Digest of the OCI configuration: what Docker calls the image id. */
  readonly config: Digest;
  /** `host/name@sha256:…` of an image that is not ours. */
  readonly foreign?: string;
}

/** One kept or temporary folder of an instance. */
export interface MountSpec {
  /** Absolute path inside the instance. */
  readonly target: string;
  readonly source: 'storage' | 'instance' | 'tmp';
  /** Name of the volume within the node's; equal names are one volume. Empty for `tmp`. */
  readonly volume: string;
  /** At most one live instance may hold it. */
  readonly exclusive: boolean;
  /** Whose volume it is, where it is not the node's own: a worker shares its application's. */
  readonly node?: NodeName;
}

/** What the node may reach, by the name it uses. */
export interface RelationshipSpec {
  readonly name: string;
  readonly node: NodeName;
  readonly endpoint: string;
  readonly scheme: string;
  readonly port: number;
  /** Path of the URL without a leading slash: a database's name. */
  readonly path: string;
  /** False: the service knows no users, and the relationship carries no name and password. */
  readonly credentials: boolean;
  /** What the user may do, per schema. Empty: the type's default. */
  readonly privileges: Readonly<Record<string, 'ro' | 'rw' | 'admin'>>;
  /** Further variables of the relationship, e.g. `{ query: "…" }`, copied into PLATFORM_RELATIONSHIPS. */
  readonly extra: Readonly<Record<string, string>>;
}

/** How we tell that an instance serves. Bytes are given as text with JavaScript escapes resolved (latin1). */
export type ProbeSpec =
  | { readonly kind: 'alive'; readonly forMs: number }
  | { readonly kind: 'tcp'; readonly port: number }
  | { readonly kind: 'http'; readonly port: number; readonly path: string }
  /** Sends `send` once connected; ready when the answer starts with one of `expect`. */
  | { readonly kind: 'exchange'; readonly port: number; readonly send: string; readonly expect: readonly string[] }
  | { readonly kind: 'command'; readonly argv: readonly string[] };

export interface ReadinessSpec {
  readonly probe: ProbeSpec;
  /** Between two probes before it was ready. */
  readonly everyMs: number;
  /** After which a start has failed. */
  readonly withinMs: number;
  /** Between two probes later on, and how long one may take. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** Run inside the instance after each start, before it is probed; reads what to provision on standard input, see docs/reference/catalog.md. */
export interface ProvisionSpec {
  readonly argv: readonly string[];
  readonly schemas: readonly string[];
}

/** A node of a release, fully resolved: what runs, independent of branch, host and secrets. */
export interface NodeSpec {
  readonly name: NodeName;
  readonly kind: NodeKind;
  readonly image: ImagePin;
  readonly argv: readonly string[];
  /** `uid:gid`, numeric. */
  readonly user: string;
  readonly workingDirectory: string;
  /** Declared, not secret. What the platform adds (PORT, relationships, PLATFORM_*) is not here. */
  readonly variables: Readonly<Record<string, string>>;
  readonly capabilities: readonly string[];
  /** Port by endpoint; an application's is `http`. */
  readonly ports: Readonly<Record<string, number>>;
  readonly relationships: readonly RelationshipSpec[];
  readonly mounts: readonly MountSpec[];
  /** Absolute paths that are tmpfs, e.g. `/tmp`, `/run`. */
  readonly tmpfs: readonly string[];
  /** `none` for services; `open` for applications; else an allow-list. */
  readonly egress: 'none' | 'open' | readonly EgressRule[];
  readonly provision: ProvisionSpec | undefined;
  readonly resources: Resources;
  readonly instances: number;
  readonly readiness: ReadinessSpec;
  readonly stop: { readonly signal: string; readonly graceMs: number };
  /** Shell commands run as Jobs, once per deployment that creates or replaces the node. */
  readonly hooks: { readonly deploy: string | undefined; readonly postDeploy: string | undefined; readonly postStart: string | undefined };
  /** Commands of the catalog that make the data on disk consistent before a snapshot. */
  readonly quiesce: readonly string[] | undefined;
  readonly movedFrom: NodeName | undefined;
  /** Where it came from: for reasons and people. */
  readonly trace: NodeTrace;
}

export interface NodeTrace {
  /** `nodejs:24`, as resolved, with the version that was found. */
  readonly type: string;
  readonly version: string;
  /** Tree id of the source folder; undefined for services. */
  readonly sourceTree: string | undefined;
  readonly buildKey: Digest | undefined;
}

/** How a change of a field reaches a running node. */
export type FieldChange = 'replace' | 'in-place' | 'none';

/** Every field is classified; a new one does not compile until it is. Only `replace` fields enter the node's digest. */
export const nodeFieldChange: { readonly [Field in keyof NodeSpec]: FieldChange } = {
  name: 'replace',
  kind: 'replace',
  image: 'replace',
  argv: 'replace',
  user: 'replace',
  workingDirectory: 'replace',
  variables: 'replace',
  capabilities: 'replace',
  ports: 'replace',
  relationships: 'replace',
  mounts: 'replace',
  tmpfs: 'replace',
  egress: 'in-place',
  provision: 'in-place',
  resources: 'in-place',
  instances: 'in-place',
  readiness: 'none',
  stop: 'none',
  hooks: 'none',
  quiesce: 'none',
  movedFrom: 'none',
  trace: 'none',
};

/** Raised only together with a migration of the digests that are stored and in labels. */
const schemeVersion = 1;

/**
 * The digest of what a running instance of the node embodies: two specs with equal digests need no replacement.
 * Empty collections and undefined do not enter, so a new optional field leaves old digests as they are.
 */
export function nodeDigest(spec: NodeSpec): Digest {
  const fields: Record<string, unknown> = { v: schemeVersion };
  for (const field of digestedFields) {
    const value = field === 'image' ? spec.image.manifest : spec[field];
    if (!isEmpty(value)) fields[field] = value;
  }
  return digestOf(fields);
}

const digestedFields = (Object.keys(nodeFieldChange) as (keyof NodeSpec)[]).filter((field) => nodeFieldChange[field] === 'replace');

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object') return value === undefined;
  if (Array.isArray(value)) return value.length === 0;
  return value !== null && Object.keys(value).length === 0;
}

import { hash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** `sha256:` and 64 lower-case hexadecimal digits, the form of the OCI image specification. */
export type Digest = Branded<'Digest'>;
/** Name of an application, worker or service, unique within one topology. A worker is `<application>--<worker>`. */
export type NodeName = Branded<'NodeName'>;
/** Opaque id of an environment, `e_…`: stable for its life, unlike nothing shown to people. Directories and labels use it. */
export type EnvironmentId = Branded<'EnvironmentId'>;
/** Opaque id of a deployment, `d_…`. */
export type DeploymentId = Branded<'DeploymentId'>;
/** Opaque id of a kept copy of an environment's data, `b_…`: what a backup is on disk. */
export type SnapshotId = Branded<'SnapshotId'>;
/** Id of a git object (tree or commit): 40 lower-case hexadecimal digits. */
export type GitId = Branded<'GitId'>;

const digestPattern = /^sha256:[0-9a-f]{64}$/;
const gitIdPattern = /^[0-9a-f]{40}$/;
/** What a node may be called: a DNS label of at most 40 characters that starts with a letter. Linear. */
export const nodeNamePattern: RegExp = /^[a-z](?:[a-z0-9_-]{0,62}[a-z0-9])?$/;

/** The digest written in `text`, or undefined where it is none. */
export function parseDigest(text: string): Digest | undefined {
  return digestPattern.test(text) ? (text as Digest) : undefined;
}

/** The git object id written in `text`, or undefined where it is none. */
export function parseGitId(text: string): GitId | undefined {
  return gitIdPattern.test(text) ? (text as GitId) : undefined;
}

/** SHA-256 over bytes or UTF-8 text. */
export function sha256(data: string | Uint8Array): Digest {
  return `sha256:${hash('sha256', data)}` as Digest;
}

/** SHA-256 over the canonical JSON of a value: equal values have equal digests. */
export function digestOf(value: unknown): Digest {
  return sha256(canonicalJson(value));
}

/** The first 12 hexadecimal digits of a digest, for people and names; never for comparison. */
export function shortDigest(digest: Digest): string {
  return digest.slice(7, 19);
}

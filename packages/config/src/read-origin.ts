import type { DirectoryEntry, NodeOrigin, TypeDirectory } from '@coppice/model';
import { type Cursor, child, keyAt, valueAt } from './cursor.ts';
import { nearestName, suggestion } from './nearest-name.ts';
import { listed, quote } from './quote.ts';
import type { Report } from './report.ts';

/** Where a node's image comes from, and what the catalog says of its type (undefined for images). */
export interface Origin {
  readonly origin: NodeOrigin;
  readonly entry: DirectoryEntry | undefined;
}

/** What the origin is read against. */
export interface OriginContext {
  readonly kind: DirectoryEntry['kind'];
  readonly types: TypeDirectory;
  readonly nearestVersion: 'exact' | 'newer';
  readonly report: Report;
}

interface RawOrigin {
  readonly type?: string;
  readonly image?: string;
  readonly dockerfile?: string;
}

/** Reads `type`, `image` and `dockerfile`. Undefined where there is no origin that could be used; why is in the report. */
export function readOrigin(node: Cursor<RawOrigin>, context: OriginContext): Origin | undefined {
  const type = child(node, 'type');
  const image = child(node, 'image');
  const dockerfile = child(node, 'dockerfile');
  if (type !== undefined && image !== undefined) {
    const message = `${node.name}: both "type" and "image" are given`;
    context.report.error({ code: 'invalid-value', at: keyAt(image), message, hint: 'remove one of them' });
  }
  if (dockerfile !== undefined) readDockerfile(node, dockerfile, context.report);
  if (image !== undefined) return { origin: { kind: 'image', reference: image.value }, entry: undefined };
  return type && readType(type, context);
}

function readDockerfile(node: Cursor<RawOrigin>, dockerfile: Cursor<string>, report: Report): void {
  const at = keyAt(dockerfile);
  if (node.value.type !== undefined || node.value.image !== undefined) {
    report.inactive(at, `dockerfile of ${node.name} is ignored`);
    report.warning({ code: 'not-supported', at, message: 'dockerfile: images are not built from a Dockerfile yet; it is ignored' });
    return;
  }
  const hint = 'write type: (a runtime of the catalog) or image: (an OCI image by digest)';
  report.error({ code: 'not-supported', at, message: 'dockerfile: images are not built from a Dockerfile yet', hint });
}

/** Reads `name:version` against the catalog. */
export function readType(type: Cursor<string>, context: OriginContext): Origin | undefined {
  const [name = '', version] = type.value.split(':');
  const at = valueAt(type);
  const entry = context.types.get(name);
  if (entry === undefined) {
    const names = [...context.types.values()].filter((each) => each.kind === context.kind).map((each) => each.name);
    const near = nearestName(name, context.types.keys());
    const hint = () => (near === undefined ? suggestion(name, names) : `did you mean "${near}"?`);
    context.report.error({ code: 'unknown-type', at, message: `type: there is no type ${quote(name)}`, hint });
    return undefined;
  }
  if (entry.kind !== context.kind) {
    const [what, section] = entry.kind === 'service' ? ['a service', 'services'] : ['a runtime for applications', 'applications'];
    context.report.error({ code: 'unknown-type', at, message: `type: ${quote(name)} is ${what}`, hint: `declare it under ${section}` });
    return undefined;
  }
  const resolved = readVersion(entry, version, type, context);
  return resolved === undefined ? undefined : { origin: { kind: 'type', type: { name, version: resolved } }, entry };
}

function readVersion(entry: DirectoryEntry, version: string | undefined, type: Cursor<string>, context: OriginContext): string | undefined {
  const [only] = entry.versions;
  if (version === undefined && entry.versions.length === 1) return only;
  if (version !== undefined && entry.versions.includes(version)) return version;
  const newest = entry.versions.at(-1);
  if (version !== undefined && newest !== undefined && context.nearestVersion === 'newer' && compareVersions(version, newest) < 0)
    return version;
  const message =
    version === undefined ? `type: ${entry.name} needs a version` : `type: there is no version ${quote(version)} of ${entry.name}`;
  const hint = `there are: ${
    entry.versions
      .map((each) => `${entry.name}:${each}`)
      .slice(0, 20)
      .join(', ') || listed([])
  }`;
  context.report.error({ code: 'unknown-version', at: valueAt(type), message, hint });
  return undefined;
}

/** Compares dotted numbers part by part; parts that are no numbers by their text. */
function compareVersions(one: string, other: string): number {
  const [left, right] = [one.split('.'), other.split('.')];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const [a = '0', b = '0'] = [left[index], right[index]];
    if (a === b) continue;
    const difference = Number(a) - Number(b);
    return Number.isNaN(difference) ? (a < b ? -1 : 1) : difference;
  }
  return 0;
}

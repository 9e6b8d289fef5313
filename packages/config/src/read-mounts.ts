import type { TopologyMount } from '@coppice/model';
import { type Cursor, entries, keyAt, valueAt } from './cursor.ts';
import { insidePath } from './inside-path.ts';
import { quote } from './quote.ts';
import type { RawMount } from './raw-file.ts';
import type { Report } from './report.ts';

/** Mounts sorted by path. Absolute ones, those outside the application and those within each other are reported. */
export function readMounts(cursor: Cursor<Readonly<Record<string, RawMount>>> | undefined, report: Report): readonly TopologyMount[] {
  const mounts = new Map<string, { readonly mount: TopologyMount; readonly cursor: Cursor<RawMount> }>();
  for (const entry of entries(cursor)) {
    const mount = readMount(entry, report);
    if (mount === undefined) continue;
    if (mounts.has(mount.path)) overlap(entry, mount.path, report);
    else mounts.set(mount.path, { mount, cursor: entry });
  }
  const sorted = [...mounts.keys()].sort();
  for (const path of sorted) {
    const outer = outerMount(path, mounts);
    const inner = mounts.get(path);
    if (outer !== undefined && inner !== undefined) overlap(inner.cursor, outer, report);
  }
  return sorted.flatMap((path) => mounts.get(path)?.mount ?? []);
}

function readMount(entry: Cursor<RawMount>, report: Report): TopologyMount | undefined {
  const raw = typeof entry.value === 'string' ? { source: entry.value } : entry.value;
  const path = insidePath(entry.name);
  if (path === undefined || path === '.') {
    report.error({
      code: 'invalid-path',
      at: keyAt(entry),
      message: `mounts: ${quote(entry.name)} is no folder below the application's`,
      hint:
        entry.name.startsWith('/') && insidePath(entry.name.slice(1))
          ? `write ${quote(entry.name.slice(1))}`
          : 'write a relative path without ".."',
    });
    return undefined;
  }
  const sourcePath = raw.source_path === undefined ? path : insidePath(raw.source_path);
  if (sourcePath === undefined || sourcePath === '.') {
    const at = entry.place.children.get('source_path')?.value ?? valueAt(entry);
    const message = `source_path: ${quote(raw.source_path ?? '')} is no folder of the source`;
    report.error({ code: 'invalid-path', at, message, hint: 'write a relative path without ".."' });
    return undefined;
  }
  const exclusive = raw.exclusive ?? raw.source === 'instance';
  return { path, source: raw.source, sourcePath, exclusive };
}

/** The mount that `path` stands in, if any. */
function outerMount(path: string, mounts: ReadonlyMap<string, unknown>): string | undefined {
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    if (mounts.has(path.slice(0, slash))) return path.slice(0, slash);
  }
  return undefined;
}

function overlap(entry: Cursor<RawMount>, other: string, report: Report): void {
  report.error({
    code: 'invalid-path',
    at: keyAt(entry),
    message: `mounts: ${quote(entry.name)} overlaps with ${quote(other)}`,
    hint: 'mounts may not lie within each other',
  });
}

import type { LocatedData } from './document-data.ts';
import type { Place } from './place.ts';
import { quote } from './quote.ts';
import type { Report } from './report.ts';

/** Maps whose entries may be spread over several files; every other section stands in one. */
const spread: ReadonlySet<string> = new Set(['applications', 'services', 'routes']);

/**
 * All files as one. The same node or route in two files is an error, and so is any other section in two; the first is kept.
 * An empty file adds nothing.
 */
export function mergedFiles(files: readonly LocatedData[], report: Report): LocatedData {
  const data: Record<string, unknown> = {};
  const children = new Map<string, Place>();
  for (const file of files) {
    if (!isRecord(file.data)) continue;
    for (const [name, value] of Object.entries(file.data)) {
      const place = file.place.children.get(name);
      if (place === undefined) continue;
      const earlier = children.get(name);
      if (earlier === undefined) {
        data[name] = value;
        children.set(name, place);
        continue;
      }
      if (spread.has(name) && (value === null || data[name] === null || (isRecord(value) && isRecord(data[name])))) {
        const merged = mergedMaps({ data: data[name], place: earlier }, { data: value, place }, report);
        data[name] = merged.data;
        children.set(name, merged.place);
      } else {
        declaredTwice(name, earlier, place, report);
      }
    }
  }
  const first = files[0]?.place;
  const start = first?.value ?? { file: 'coppice.yaml', line: 1, column: 1 };
  return { data, place: { key: start, value: start, written: undefined, children } };
}

function mergedMaps(one: LocatedData, other: LocatedData, report: Report): LocatedData {
  const data: Record<string, unknown> = isRecord(one.data) ? { ...one.data } : {};
  const children = new Map(one.place.children);
  for (const [name, value] of Object.entries(isRecord(other.data) ? other.data : {})) {
    const place = other.place.children.get(name);
    const earlier = children.get(name);
    if (place === undefined) continue;
    if (earlier !== undefined) {
      declaredTwice(name, earlier, place, report);
      continue;
    }
    data[name] = value;
    children.set(name, place);
  }
  return { data, place: { ...one.place, children } };
}

function declaredTwice(name: string, earlier: Place, place: Place, report: Report): void {
  report.error({
    code: 'declared-twice',
    at: place.key,
    message: `${quote(name)} is declared in two files`,
    hint: `the other is at ${earlier.key.file}:${earlier.key.line}:${earlier.key.column}`,
  });
}

/** Whether a value is a map. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

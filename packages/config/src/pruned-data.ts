import type { LocatedData } from './document-data.ts';
import type { Place } from './place.ts';

/** Paths to leave out, as a tree: a node without children is a value to leave out. */
interface Cut {
  readonly children: Map<string, Cut>;
  isWhole: boolean;
}

/** The data without the values at `paths`, and the places without theirs. List entries move up. */
export function prunedData(located: LocatedData, paths: readonly (readonly string[])[]): LocatedData {
  const root: Cut = { children: new Map(), isWhole: false };
  for (const path of paths) mark(root, path);
  return root.isWhole ? { data: {}, place: { ...located.place, children: new Map() } } : without(located, root);
}

function mark(root: Cut, path: readonly string[]): void {
  let cut = root;
  for (const segment of path) {
    const next = cut.children.get(segment) ?? { children: new Map<string, Cut>(), isWhole: false };
    cut.children.set(segment, next);
    cut = next;
  }
  cut.isWhole = true;
}

/** Recursion is bounded by the depth that the reader allows. */
function without(located: LocatedData, cut: Cut): LocatedData {
  if (cut.children.size === 0 || typeof located.data !== 'object' || located.data === null) return located;
  const isList = Array.isArray(located.data);
  const children = new Map<string, Place>();
  const list: unknown[] = [];
  const map: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(located.data)) {
    const below = cut.children.get(name);
    const place = located.place.children.get(name);
    if (below?.isWhole || place === undefined) continue;
    const kept = below === undefined ? { data: value, place } : without({ data: value, place }, below);
    children.set(isList ? String(list.length) : name, kept.place);
    if (isList) list.push(kept.data);
    else map[name] = kept.data;
  }
  return { data: isList ? list : map, place: { ...located.place, children } };
}

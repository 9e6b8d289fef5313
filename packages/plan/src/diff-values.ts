/** One place where two values differ. `null` stands for nothing there; the data compared holds no null of its own. */
export interface ValueChange {
  /** E.g. `nodes.web.variables.LEVEL`, `argv[2]`; empty for the whole value. */
  readonly path: string;
  readonly from: unknown;
  readonly to: unknown;
}

type Fields = ReadonlyMap<string, unknown>;

interface Pair {
  readonly path: string;
  readonly from: unknown;
  readonly to: unknown;
}

/**
 * Where two pieces of plain data differ, deepest places only, in the order of their paths' keys. Arrays whose items all have a unique
 * `name` (or `url`, or `target`) are compared by it, others by position. Iterative: depth is no limit.
 */
export function diffValues(a: unknown, b: unknown): readonly ValueChange[] {
  const changes: ValueChange[] = [];
  const stack: Pair[] = [{ path: '', from: a, to: b }];
  for (let pair = stack.pop(); pair; pair = stack.pop()) {
    const { path, from, to } = pair;
    if (Object.is(from, to)) continue;
    const fields = fieldsOfBoth(from, to);
    if (!fields) changes.push({ path, from: from ?? null, to: to ?? null });
    else stack.push(...pairsBelow(path, fields).reverse());
  }
  return changes;
}

interface Both {
  readonly from: Fields;
  readonly to: Fields;
  readonly label: (path: string, key: string) => string;
}

/** The parts of two containers of the same shape; undefined where the values can only be compared whole. */
function fieldsOfBoth(from: unknown, to: unknown): Both | undefined {
  if (Array.isArray(from) && Array.isArray(to)) {
    const key = identifyingKey([...from, ...to], [from, to]);
    if (key === undefined) return { from: byPosition(from), to: byPosition(to), label: (path, index) => `${path}[${index}]` };
    return { from: byKey(from, key), to: byKey(to, key), label: labelField };
  }
  if (isRecord(from) && isRecord(to)) return { from: new Map(Object.entries(from)), to: new Map(Object.entries(to)), label: labelField };
  return undefined;
}

function pairsBelow(path: string, { from, to, label }: Both): Pair[] {
  const keys = [...new Set([...from.keys(), ...to.keys()])];
  if (label === labelField) keys.sort();
  return keys.map((key) => ({ path: label(path, key), from: from.get(key), to: to.get(key) }));
}

function labelField(path: string, key: string): string {
  if (!/^[\w-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}

function identifyingKey(items: readonly unknown[], lists: readonly (readonly unknown[])[]): string | undefined {
  if (items.length === 0) return undefined;
  return ['name', 'url', 'target'].find((key) => {
    if (!items.every((item) => isRecord(item) && typeof item[key] === 'string')) return false;
    return lists.every((list) => new Set(byKey(list, key).keys()).size === list.length);
  });
}

function byPosition(list: readonly unknown[]): Fields {
  return new Map(list.map((item, index) => [String(index), item]));
}

function byKey(list: readonly unknown[], key: string): Fields {
  return new Map(list.map((item) => [isRecord(item) ? String(item[key]) : '', item]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

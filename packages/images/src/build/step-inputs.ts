import type { SourceEntry } from '@coppice/model';

/**
 * The files and links that a step declared to read: `inputs` are paths (a folder means all below it) or globs relative to the source
 * root, with `*` within a segment, `**` across and `?` for one character. What is missing is no error. Keeps the order of `entries`.
 */
export function selectInputs(entries: readonly SourceEntry[], inputs: readonly string[]): readonly SourceEntry[] {
  const patterns = inputs.map(segmentsOf);
  return entries.filter((entry) => {
    if (entry.kind === 'folder') return false;
    const path = entry.path.split('/');
    return patterns.some((pattern) => matches(pattern, path));
  });
}

function segmentsOf(pattern: string): readonly string[] {
  return pattern.split('/').filter((segment) => segment !== '' && segment !== '.');
}

/** Whether the pattern matches the path or a folder above it. Keeps the set of reachable positions, so hostile globs stay cheap. */
function matches(pattern: readonly string[], path: readonly string[]): boolean {
  let reachable = new Set([0]);
  for (const segment of path) {
    const next = new Set<number>();
    for (const at of withSkips(reachable, pattern)) {
      if (at === pattern.length) return true;
      if (pattern[at] === '**') next.add(at);
      else if (segmentMatches(pattern[at] ?? '', segment)) next.add(at + 1);
    }
    if (next.size === 0) return false;
    reachable = next;
  }
  return withSkips(reachable, pattern).has(pattern.length);
}

/** `**` may stand for nothing. */
function withSkips(positions: ReadonlySet<number>, pattern: readonly string[]): ReadonlySet<number> {
  const all = new Set(positions);
  for (const at of all) if (pattern[at] === '**') all.add(at + 1);
  return all;
}

/** Greedy with one step back to the last star: at most pattern × text steps. */
function segmentMatches(pattern: string, text: string): boolean {
  let [p, t, star, mark] = [0, 0, -1, 0];
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p;
      mark = t;
      p += 1;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p += 1;
      t += 1;
    } else if (star !== -1) {
      p = star + 1;
      mark += 1;
      t = mark;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

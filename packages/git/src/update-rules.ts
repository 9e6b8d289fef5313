import { listRefs } from './bare-repository.ts';
import type { GitHost } from './git-host.ts';
import type { ObjectSource } from './object-process.ts';
import { reasonLine } from './progress-text.ts';
import type { RefUpdate } from './receiver.ts';
import { refNameProblem, shortRefName } from './ref-name.ts';

/** The id git writes for "there is none". */
export const zeroId = '0'.repeat(40);

/** Why updates may not be made, one line each; empty where all may. Each update is checked, not the first. */
export async function updateProblems(options: {
  readonly host: GitHost;
  readonly path: string;
  readonly source: ObjectSource;
  readonly updates: readonly RefUpdate[];
}): Promise<readonly string[]> {
  const { host, path, source, updates } = options;
  const names = updates.flatMap((update) => nameProblem(update) ?? []);
  if (names.length > 0) return names;
  const kinds = await Promise.all(updates.map(async (update) => await kindProblem(source, update)));
  const created = updates.filter((update) => update.previous === zeroId).map((update) => update.ref);
  if (created.length === 0) return kinds.flat();
  const there = await listRefs(host, path, 'refs/');
  const gone = new Set(updates.filter((update) => update.next === zeroId).map((update) => update.ref));
  const kept = [...there.keys()].filter((ref) => !gone.has(ref));
  return [...kinds.flat(), ...folderProblems(created, kept)];
}

function nameProblem({ ref, next }: RefUpdate): string | undefined {
  const name = shortRefName(ref);
  if (name === undefined) {
    return `${reasonLine(ref)}: only branches (refs/heads/…) are deployed and tags (refs/tags/…) stored; push to one of these`;
  }
  // what an older version let in must be deletable
  const problem = next === zeroId ? undefined : refNameProblem(name);
  return problem && `${reasonLine(name)}: ${problem}; choose another name`;
}

async function kindProblem(source: ObjectSource, { ref, next }: RefUpdate): Promise<readonly string[]> {
  if (next === zeroId) return [];
  const info = await source.info(next);
  if (!info) return [`${ref}: the object ${next} did not arrive`];
  if (ref.startsWith('refs/heads/') && info.type !== 'commit') return [`${ref}: a branch must be a commit, not a ${info.type}`];
  return [];
}

/** A ref cannot be both a file and a folder; found here, before anything is built. */
function folderProblems(created: readonly string[], kept: readonly string[]): readonly string[] {
  const all = new Set([...created, ...kept]);
  const folders = new Map<string, string>();
  for (const ref of all) {
    for (let slash = ref.lastIndexOf('/'); slash > 0; slash = ref.lastIndexOf('/', slash - 1)) folders.set(ref.slice(0, slash), ref);
  }
  return created.flatMap((ref) => {
    const below = folders.get(ref);
    const above = [...parents(ref)].find((parent) => all.has(parent));
    const other = below ?? above;
    return other === undefined ? [] : [`${ref} cannot be beside ${other}: one name would have to be a folder of the other`];
  });
}

function* parents(ref: string): Generator<string> {
  for (let slash = ref.lastIndexOf('/'); slash > 0; slash = ref.lastIndexOf('/', slash - 1)) yield ref.slice(0, slash);
}

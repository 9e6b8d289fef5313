import type { Clone } from '../harness.ts';
import { mustRun } from './run-program.ts';

/** One entry of a tree object, written as it is: no honest git would write some of them. */
export interface RawEntry {
  /** As the object has it: `100644`, `40000`, `120000`, `160000`. */
  readonly mode: string;
  readonly name: string;
  readonly id: string;
}

/** Writes an object of whatever content into the repository of a working copy; resolves with its id. */
export async function writeObject(clone: Clone, type: 'blob' | 'tree' | 'commit', content: string | Uint8Array): Promise<string> {
  const args = ['hash-object', '-t', type, '-w', '--stdin', '--literally'];
  return (await mustRun('git', args, { cwd: clone.folder, input: content })).trim();
}

export async function writeTree(clone: Clone, entries: readonly RawEntry[]): Promise<string> {
  const parts = entries.flatMap(({ mode, name, id }) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]);
  return await writeObject(clone, 'tree', Buffer.concat(parts));
}

/** A commit of a tree on top of HEAD. */
export async function commitTree(clone: Clone, tree: string): Promise<string> {
  return await clone.git('commit-tree', tree, '-p', 'HEAD', '-m', 'hostile');
}

/** The entries of HEAD's tree at the root, to be pushed with one more. */
export async function headEntries(clone: Clone): Promise<readonly RawEntry[]> {
  const listed = await clone.git('ls-tree', 'HEAD');
  return listed.split('\n').map((line) => {
    const [, mode = '', id = '', name = ''] = /^(\d+) \w+ ([0-9a-f]+)\t(.*)$/.exec(line) ?? [];
    return { mode: mode.replace(/^0/, ''), name, id };
  });
}

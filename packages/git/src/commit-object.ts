import { CoppiceError, type GitId, parseGitId } from '@coppice/model';
import type { CommitInfo } from './receiver.ts';

/** What a raw commit object says. Bytes that are no UTF-8 become U+FFFD. Throws `git-failed` for a damaged one. */
export function parseCommitObject(id: GitId, content: Buffer): CommitInfo {
  const text = content.toString('utf8');
  const end = text.indexOf('\n\n');
  const headers = (end < 0 ? text : text.slice(0, end)).split('\n');
  const message = end < 0 ? '' : text.slice(end + 2);
  const values = (name: string): readonly string[] =>
    headers.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  const tree = parseGitId(values('tree')[0] ?? '');
  if (!tree) throw new CoppiceError('git-failed', `the commit ${id} names no tree`);
  return {
    id,
    tree,
    parents: values('parent').flatMap((parent) => parseGitId(parent) ?? []),
    author: (values('author')[0] ?? '').replace(/ -?\d+ [+-]\d+$/, ''),
    subject:
      message
        .trimStart()
        .split(/\n\s*\n/, 1)[0]
        ?.replace(/\s*\n\s*/g, ' ')
        .trim() ?? '',
  };
}

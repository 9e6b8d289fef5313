import type { GitId } from '@coppice/model';
import type { GitHost } from './git-host.ts';
import type { ObjectSource } from './object-process.ts';
import { maxBlobBytes } from './tree-listing.ts';

const notesRef = '--ref=refs/notes/coppice';

/** Adds `line` to the commit's note unless it is there. The caller sees to it that one is written at a time. */
export async function appendNote(note: {
  readonly host: GitHost;
  readonly path: string;
  readonly source: ObjectSource;
  readonly commit: GitId;
  readonly line: string;
}): Promise<void> {
  const { host, path, source, commit } = note;
  const line = note.line.replace(/[\r\n]+/g, ' ').trimEnd();
  const listed = await host.run({ args: ['--git-dir', path, 'notes', notesRef, 'list', commit] });
  const blob = listed.exitCode === 0 ? listed.stdout.toString('latin1').trim() : '';
  const kept = blob === '' ? undefined : await source.contents(blob, maxBlobBytes);
  const lines =
    kept?.content
      .toString('utf8')
      .split('\n')
      .filter((old) => old !== '') ?? [];
  if (lines.includes(line)) return;
  const input = `${[...lines, line].join('\n')}\n`;
  await host.expect({ args: ['--git-dir', path, 'notes', notesRef, 'add', '-f', '-F', '-', commit], input });
}

import { CoppiceError } from '@coppice/model';
import { mustRun } from './run-program.ts';

/** How full a btrfs is. Free is what could still be written: space that belongs to neither kind yet counts for both. */
export interface FileSystemSpace {
  readonly sizeBytes: number;
  readonly data: Share;
  /** Names, sizes and small files; one can be out of it while `df` shows space. */
  readonly metadata: Share;
}

export interface Share {
  readonly usedBytes: number;
  readonly freeBytes: number;
}

/** Throws `volume-failed`. */
export async function readSpace(directory: string): Promise<FileSystemSpace> {
  return parseSpace(await mustRun('btrfs', ['filesystem', 'usage', '-b', directory]));
}

/** What `btrfs filesystem usage -b` says. Throws `volume-failed` where it says something else. */
export function parseSpace(text: string): FileSystemSpace {
  const unallocated = numberAfter(text, 'Device unallocated');
  const reserve = numberAfter(text, 'Global reserve');
  const metadata = chunks(text, 'Metadata');
  const data = chunks(text, 'Data');
  return {
    sizeBytes: numberAfter(text, 'Device size'),
    data: { usedBytes: data.used, freeBytes: data.size - data.used + Math.floor(unallocated / numberAfter(text, 'Data ratio')) },
    metadata: {
      usedBytes: metadata.used,
      // The reserve is what the file system needs to delete things when it is full.
      freeBytes: Math.max(0, metadata.size - metadata.used - reserve) + Math.floor(unallocated / numberAfter(text, 'Metadata ratio')),
    },
  };
}

function numberAfter(text: string, label: string): number {
  const [, found] = new RegExp(`^\\s*${label}:\\s+([0-9.]+)`, 'm').exec(text) ?? [];
  if (found === undefined) throw new CoppiceError('volume-failed', `btrfs filesystem usage does not tell '${label}'`);
  return Number(found);
}

/** Summed over profiles, of which there are several while one is converted; mixed chunks count for both kinds. */
function chunks(text: string, kind: 'Data' | 'Metadata'): { readonly size: number; readonly used: number } {
  let [size, used] = [0, 0];
  for (const [, kinds = '', sizeText, usedText] of text.matchAll(/^([A-Za-z+]+),[^:\n]*: Size:([0-9]+), Used:([0-9]+)/gm)) {
    if (!kinds.split('+').includes(kind)) continue;
    size += Number(sizeText);
    used += Number(usedText);
  }
  return { size, used };
}

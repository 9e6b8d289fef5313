import { CoppiceError } from '@coppice/model';

/** One line of a raw tree object. */
export interface RawTreeEntry {
  readonly kind: 'file' | 'executable' | 'symlink' | 'folder';
  readonly name: string;
  /** The name as git stores it, which sorts. */
  readonly bytes: Buffer;
  readonly id: string;
}

const kinds: ReadonlyMap<string, RawTreeEntry['kind']> = new Map([
  ['100644', 'file'],
  ['100664', 'file'],
  ['100755', 'executable'],
  ['120000', 'symlink'],
  ['40000', 'folder'],
]);
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The entries of a raw tree object (mode, space, name, NUL, 20 bytes of id), sorted by the bytes of their names. `folder` is its path,
 * for messages. Throws `invalid-tree` for submodules and for names that would mean something else, or nothing, where they are unpacked.
 */
export function parseTreeObject(content: Buffer, folder: string): readonly RawTreeEntry[] {
  const entries: RawTreeEntry[] = [];
  const twins = new Map<string, string>();
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const end = content.indexOf(0, space + 1);
    if (space < 0 || end < 0 || end + 21 > content.length)
      throw new CoppiceError('invalid-tree', `${shown(folder, '')}: the tree object is damaged`);
    const mode = content.toString('latin1', at, space);
    const bytes = content.subarray(space + 1, end);
    const name = parseName(bytes, folder);
    const twin = foldedTwin(twins, name);
    if (twin !== undefined) {
      throw new CoppiceError('invalid-tree', `${shown(folder, name)} and ${shown(folder, twin)} differ only in case or form`, {
        hint: 'rename one of them: on many systems they are one file',
      });
    }
    entries.push({ kind: parseMode(mode, shown(folder, name)), name, bytes, id: content.toString('hex', end + 1, end + 21) });
    at = end + 21;
  }
  return entries.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
}

/** `folder/name` for messages, quoted where it holds what a terminal would not show. */
export function shown(folder: string, name: string): string {
  const path = folder === '' ? name || 'the root' : name === '' ? folder : `${folder}/${name}`;
  return /[\p{C}\p{Zl}\p{Zp}]/u.test(path) ? JSON.stringify(path) : path;
}

function parseMode(mode: string, path: string): RawTreeEntry['kind'] {
  const kind = kinds.get(mode);
  if (kind) return kind;
  if (mode === '160000') {
    throw new CoppiceError('invalid-tree', `${path} is a submodule; a push must carry all of its source`, {
      hint: 'remove it with "git rm --cached" and add its files, or use a package manager',
    });
  }
  throw new CoppiceError('invalid-tree', `${path} has the mode ${mode}; files, folders and symbolic links are allowed`);
}

function parseName(bytes: Buffer, folder: string): string {
  let name: string;
  try {
    name = utf8.decode(bytes);
  } catch (cause) {
    throw new CoppiceError('invalid-tree', `${shown(folder, JSON.stringify(bytes.toString('latin1')))}: the name is not valid UTF-8`, {
      cause,
    });
  }
  const plain = name.toLowerCase().replace(/\p{Default_Ignorable_Code_Point}/gu, '');
  if (name === '' || name === '.' || name === '..' || name.includes('/') || plain === '.git' || plain === 'git~1') {
    throw new CoppiceError('invalid-tree', `${shown(folder, name)}: a file cannot have this name`);
  }
  if (/\p{Cc}/u.test(name)) throw new CoppiceError('invalid-tree', `${shown(folder, name)}: the name holds a control character`);
  return name;
}

function foldedTwin(twins: Map<string, string>, name: string): string | undefined {
  const folded = name.normalize('NFC').toLowerCase();
  const twin = twins.get(folded);
  twins.set(folded, name);
  return twin;
}

import { limits, minimalExample, readConfiguration } from '@coppice/config';
import { CoppiceError, type Diagnostic, type SourceEntry, type SourceTree, type Topology, type TypeDirectory } from '@coppice/model';

const mainFile = 'coppice.yaml';
const folder = '.coppice';

/** What a tree declares. `remarks`: warnings, and keys that are accepted but not acted on yet. */
export interface DeclaredTopology {
  readonly topology: Topology;
  readonly remarks: readonly string[];
  readonly warnings: readonly Diagnostic[];
}

/**
 * Reads the file and the folder beside it from a commit's tree, and looks whether the folders that they name are there. Throws
 * `invalid-configuration` with all diagnostics, or where the file is missing.
 */
export async function readTopology(tree: SourceTree, types: TypeDirectory): Promise<DeclaredTopology> {
  const entries = await configurationEntries(tree);
  refuseErrors(entries.flatMap(entryProblem));
  const files = await Promise.all(entries.map(async ({ path, id }) => ({ name: path, bytes: await tree.blob(id) })));
  const { topology, diagnostics, inactive, folders } = readConfiguration({ files, types });
  const missing = await Promise.all(folders.map(async ({ path, at }) => folderProblem(path, await tree.entry(path), at)));
  refuseErrors([...diagnostics.filter((diagnostic) => diagnostic.severity === 'error'), ...missing.flat()]);
  if (!topology) throw new CoppiceError('internal', `${mainFile} gives neither a topology nor an error`);
  return { topology, remarks: inactive, warnings: diagnostics.filter((diagnostic) => diagnostic.severity === 'warning') };
}

function refuseErrors(errors: readonly Diagnostic[]): void {
  if (errors.length === 0) return;
  throw new CoppiceError('invalid-configuration', `${mainFile} has ${errors.length === 1 ? 'an error' : `${errors.length} errors`}`, {
    diagnostics: errors.slice(0, limits.diagnostics),
  });
}

/** The entries that are read, whatever they are; their paths start at the root of the tree. */
async function configurationEntries(tree: SourceTree): Promise<readonly SourceEntry[]> {
  const main = await tree.entry(mainFile);
  const beside = await tree.entry(folder);
  const found = main ? [main] : [];
  if (beside !== undefined && beside.kind !== 'folder') found.push(beside);
  for await (const entry of (await tree.subtree(folder))?.entries() ?? []) {
    if (/^[^/]+\.ya?ml$/.test(entry.path)) found.push({ ...entry, path: `${folder}/${entry.path}` });
  }
  if (found.length === 0) {
    throw new CoppiceError(
      'invalid-configuration',
      `the commit has no ${mainFile} at its root; a whole one is as short as this:\n\n${minimalExample}`,
    );
  }
  if (found.length > limits.files)
    throw new CoppiceError('limit-exceeded', `${folder} holds ${found.length} files; at most ${limits.files} are read`, {
      hint: 'join some of them',
    });
  return found;
}

const kindWords: Readonly<Record<SourceEntry['kind'], string>> = {
  file: 'file',
  executable: 'file',
  folder: 'folder',
  symlink: 'symbolic link',
};

function entryProblem({ path, kind, size }: SourceEntry): readonly Diagnostic[] {
  const at = { file: path, line: 1, column: 1 };
  if (path === folder || (kind !== 'file' && kind !== 'executable')) {
    const wanted = path === folder ? 'a folder' : 'a regular file';
    const message = `${path} is a ${kindWords[kind]}, but must be ${wanted}`;
    return [{ code: 'invalid-path', severity: 'error', at, message, hint: 'commit the file itself in its place' }];
  }
  if (size <= limits.fileBytes) return [];
  const hint = `at most ${limits.fileBytes} are read (${limits.fileBytes / 1024} KiB); long files can be split into ${folder}/*.yaml`;
  return [{ code: 'file-too-large', severity: 'error', at, message: `the file has ${size} bytes`, hint }];
}

function folderProblem(path: string, entry: SourceEntry | undefined, at: Diagnostic['at'] & object): readonly Diagnostic[] {
  if (entry?.kind === 'folder') return [];
  const message =
    entry === undefined ? `root: the commit has no folder "${path}"` : `root: "${path}" is a ${kindWords[entry.kind]} in the commit`;
  return [{ code: 'invalid-path', severity: 'error', at, message, hint: 'name a folder of the commit, relative to its root' }];
}

import { minimalExample, readConfiguration } from '@coppice/config';
import { CoppiceError, type Diagnostic, type SourceTree, type Topology, type TypeDirectory } from '@coppice/model';

const mainFile = 'coppice.yaml';
const folder = '.coppice';
const maxFiles = 32;

/** What a tree declares. `remarks`: warnings, and keys that are accepted but not acted on yet. */
export interface DeclaredTopology {
  readonly topology: Topology;
  readonly remarks: readonly string[];
  readonly warnings: readonly Diagnostic[];
}

/** Reads the file and the folder beside it from a commit's tree. Throws `invalid-configuration` with all diagnostics, or where the file is missing. */
export async function readTopology(tree: SourceTree, types: TypeDirectory): Promise<DeclaredTopology> {
  const files = await configurationFiles(tree);
  const { topology, diagnostics, inactive } = readConfiguration({ files, types });
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
  if (!topology || errors.length > 0) {
    throw new CoppiceError('invalid-configuration', `${mainFile} has ${errors.length === 1 ? 'an error' : `${errors.length} errors`}`, {
      diagnostics: errors,
    });
  }
  return { topology, remarks: inactive, warnings: diagnostics.filter((diagnostic) => diagnostic.severity === 'warning') };
}

async function configurationFiles(tree: SourceTree): Promise<readonly { readonly name: string; readonly bytes: Uint8Array }[]> {
  const main = await tree.entry(mainFile);
  const beside = await tree.subtree(folder);
  const paths = main ? [mainFile] : [];
  for await (const entry of beside?.entries() ?? []) {
    if (/^[^/]+\.ya?ml$/.test(entry.path)) paths.push(`${folder}/${entry.path}`);
  }
  if (paths.length === 0) {
    throw new CoppiceError(
      'invalid-configuration',
      `the commit has no ${mainFile} at its root; a whole one is as short as this:\n\n${minimalExample}`,
    );
  }
  if (paths.length > maxFiles)
    throw new CoppiceError('limit-exceeded', `${folder} holds ${paths.length} files; at most ${maxFiles} are read`);
  return await Promise.all(paths.map((path) => readRegularFile(tree, path)));
}

async function readRegularFile(tree: SourceTree, path: string): Promise<{ readonly name: string; readonly bytes: Uint8Array }> {
  const entry = await tree.entry(path);
  if (entry?.kind !== 'file' && entry?.kind !== 'executable') {
    throw new CoppiceError('invalid-configuration', `${path} is a ${entry?.kind ?? 'missing file'}; it must be a regular file`);
  }
  const maxBytes = 256 * 1024;
  if (entry.size > maxBytes)
    throw new CoppiceError('invalid-configuration', `${path} has ${entry.size} bytes; at most ${maxBytes} are read`);
  return { name: path, bytes: await tree.blob(entry.id) };
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadCatalog, typeDirectory } from '@coppice/catalog';
import { minimalExample, readConfiguration, showConfiguration } from '@coppice/config';
import { CoppiceError, isCoppiceError, type Topology } from '@coppice/model';
import type { Command } from 'commander';
import { print } from '../output.ts';
import { systemCode } from '../system-code.ts';

const mainFile = 'coppice.yaml';

/** `coppice config …`: offline, on the files of the current folder. */
export function addConfigCommands(program: Command): void {
  const config = program.command('config').description('check and show the file, without a server');
  config
    .command('check')
    .argument('[folder]', 'where the file lies', '.')
    .description('all errors of the file, or nothing')
    .action((folder: string) => {
      const json = program.opts<{ json?: boolean }>().json === true;
      const { remarks } = readOrSayWhy(folder, json);
      print({ json }, { ok: true, remarks }, () => [...remarks, `${mainFile} is valid`].join('\n'));
    });
  config
    .command('show')
    .argument('[folder]', 'where the file lies', '.')
    .description('the full form after all defaults')
    .action((folder: string) => {
      const json = program.opts<{ json?: boolean }>().json === true;
      const { topology } = readOrSayWhy(folder, json);
      print({ json }, topology, () => showConfiguration(topology));
    });
}

/** As `readFolder`, but with `json` what is wrong is also said as JSON. */
function readOrSayWhy(folder: string, json: boolean): ReturnType<typeof readFolder> {
  try {
    return readFolder(folder);
  } catch (error) {
    if (json && isCoppiceError(error)) print({ json }, { ok: false, diagnostics: error.diagnostics }, () => '');
    throw error;
  }
}

function readFolder(folder: string): { readonly topology: Topology; readonly remarks: readonly string[] } {
  const files = fileNames(folder).map((name) => ({ name, bytes: bytesOf(folder, name) }));
  if (files.length === 0)
    throw new CoppiceError(
      'invalid-configuration',
      `there is no ${mainFile} in ${folder}; a whole one is as short as this:\n\n${minimalExample}`,
    );
  const { topology, diagnostics, inactive } = readConfiguration({ files, types: typeDirectory(loadCatalog()) });
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
  if (!topology || errors.length > 0) {
    throw new CoppiceError(
      'invalid-configuration',
      errors.length === 1 ? 'the file has an error' : `the file has ${errors.length} errors`,
      { diagnostics: errors },
    );
  }
  return { topology, remarks: [...diagnostics.map((diagnostic) => diagnostic.message), ...inactive] };
}

function bytesOf(folder: string, name: string): Buffer {
  try {
    return readFileSync(join(folder, name));
  } catch (cause) {
    throw new CoppiceError('invalid-configuration', `${name} cannot be read: ${systemCode(cause)}`, { cause });
  }
}

function fileNames(folder: string): readonly string[] {
  const main = existsSync(join(folder, mainFile)) ? [mainFile] : [];
  const beside = existsSync(join(folder, '.coppice')) ? readdirSync(join(folder, '.coppice')).filter((name) => /\.ya?ml$/.test(name)) : [];
  return [...main, ...beside.sort().map((name) => `.coppice/${name}`)];
}

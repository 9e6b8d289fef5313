import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { arch } from 'node:process';
import { fileURLToPath } from 'node:url';
import { CoppiceError, type Diagnostic } from '@coppice/model';
import { Ajv } from 'ajv';
import type { Catalog } from './catalog.ts';
import { catalogOf } from './catalog-of.ts';
import { parseTypeFile } from './parse-type-file.ts';
import type { Processor, TypeFile } from './type-file.ts';

const ownTypes = fileURLToPath(new URL('../types', import.meta.url));
const schemaFile = fileURLToPath(new URL('../../../schemas/catalog.schema.json', import.meta.url));

/**
 * Reads the types of a folder (one `*.yaml` file each; default: those that come with Coppice), for this machine's processor. The one
 * function of this package that reads files. Throws `catalog-invalid` with a diagnostic for everything that is wrong in any file.
 */
export function loadCatalog(directory: string = ownTypes, processor: Processor = arch === 'arm64' ? 'arm64' : 'x64'): Catalog {
  const fits = new Ajv({ allErrors: true, ownProperties: true, strict: true, strictRequired: false }).compile<TypeFile>(
    JSON.parse(readFileSync(schemaFile, 'utf8')),
  );
  const files: TypeFile[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const name of readdirSync(directory).sort()) {
    if (!name.endsWith('.yaml')) continue;
    const parsed = parseTypeFile({ name, text: readFileSync(join(directory, name), 'utf8'), fits });
    if ('type' in parsed) files.push(parsed.type);
    else diagnostics.push(...parsed.diagnostics);
  }
  if (diagnostics.length > 0) throw new CoppiceError('catalog-invalid', `the catalog in ${directory} is not valid`, { diagnostics });
  return catalogOf(files, processor);
}

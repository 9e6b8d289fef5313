import type { Diagnostic } from '@coppice/model';
import type { ValidateFunction } from 'ajv';
import { isNode, LineCounter, parseDocument } from 'yaml';
import type { TypeFile } from './type-file.ts';

/** The type that a file holds, or all that is wrong with it. Pure. */
export function parseTypeFile(file: {
  readonly name: string;
  readonly text: string;
  readonly fits: ValidateFunction<TypeFile>;
}): { readonly type: TypeFile } | { readonly diagnostics: readonly Diagnostic[] } {
  const lines = new LineCounter();
  const document = parseDocument(file.text, { schema: 'core', lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { file: file.name, line, column: col };
  };
  const wrong = (message: string, offset: number): Diagnostic => ({ code: 'catalog-invalid', severity: 'error', message, at: at(offset) });

  if (document.errors.length > 0) return { diagnostics: document.errors.map((error) => wrong(error.message, error.pos[0])) };
  const type: unknown = document.toJS({ maxAliasCount: 0 });
  if (!file.fits(type)) {
    const errors = file.fits.errors ?? [];
    return {
      diagnostics: errors.map((error) => {
        const path = error.instancePath.split('/').slice(1);
        const node = document.getIn(path, true);
        const where = path.length === 0 ? 'the file' : path.join('.');
        const extra = error.keyword === 'additionalProperties' ? ` "${error.params['additionalProperty']}"` : '';
        return wrong(`${where} ${error.message ?? 'is not valid'}${extra}`, isNode(node) ? (node.range?.[0] ?? 0) : 0);
      }),
    };
  }
  const problems = inconsistencies(type, file.name).map((message) => wrong(message, 0));
  return problems.length > 0 ? { diagnostics: problems } : { type };
}

/** What a schema cannot say. */
function inconsistencies(type: TypeFile, fileName: string): readonly string[] {
  const problems: string[] = [];
  if (fileName !== `${type.name}.yaml`) problems.push(`the type "${type.name}" belongs into ${type.name}.yaml`);
  if (!Object.hasOwn(type.endpoints, type.defaultEndpoint)) problems.push(`there is no endpoint "${type.defaultEndpoint}"`);
  if (type.kind === 'service' && type.argv === undefined) problems.push('a service says in argv what runs');
  const versions = type.versions.map((row) => row.version);
  for (const version of versions.filter((one, index) => versions.indexOf(one) !== index))
    problems.push(`version ${version} is there twice`);
  return problems;
}

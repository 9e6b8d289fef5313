import { textOf } from './repository-files.ts';

const statement = /^\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s*)?['"]([^'"]+)['"]/gm;
const call = /\b(?:import|require)\(\s*['"]([^'"]+)['"]/g;

/** What a file imports, as written: statements, re-exports, and calls of `import` and `require` with a plain string. */
export function importsOf(path: string): readonly string[] {
  const text = textOf(path);
  return [...text.matchAll(statement), ...text.matchAll(call)].flatMap((match) => match[1] ?? []);
}

/** The package that an import names: `@scope/name`, `name` or `node:name`; undefined for a file beside. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('/')) return undefined;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

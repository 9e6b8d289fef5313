import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeFiles, isTest, linesMatching, textOf } from './repository-files.ts';

const maxLines = 500;
const maxTestLines = 800;
/** Node loads a reporter by its default export, and by nothing else. */
const defaultExportWanted = new Set(['scripts/suite/event-reporter.ts']);

test('no file is longer than 500 lines, no test than 800', () => {
  const long = codeFiles()
    .map((path) => ({ path, lines: textOf(path).split('\n').length - 1 }))
    .filter(({ path, lines }) => lines > (isTest(path) ? maxTestLines : maxLines));
  assert.deepEqual(long, []);
});

test('files are named in kebab-case after what they hold', () => {
  const wrong = codeFiles().filter((path) => !/^[a-z0-9]+(?:[-.][a-z0-9]+)*$/.test(path.split('/').at(-1) ?? ''));
  assert.deepEqual(wrong, []);
});

test('no file or folder is a drawer for anything', () => {
  const drawer = /(?:^|[/.-])(?:utils?|helpers?|common|misc|types)(?:[/.]|$)/;
  assert.deepEqual(
    codeFiles().filter((path) => drawer.test(path)),
    [],
  );
});

test('no program is started through a shell', () => {
  const found = [
    ...linesMatching(codeFiles(), /\bshell:\s*true\b/),
    ...linesMatching(codeFiles(), /\bexecSync\b\s*\(/),
    ...codeFiles()
      .filter((path) => /import\s*(?:type\s*)?\{[^}]*\bexec(?:Sync)?\b[^}]*\}\s*from\s*['"](?:node:)?child_process['"]/.test(textOf(path)))
      .map((path) => `${path} imports exec`),
  ];
  assert.deepEqual(found, []);
});

test('nothing is exported by default', () => {
  const files = codeFiles().filter((path) => !path.startsWith('examples/') && !defaultExportWanted.has(path));
  assert.deepEqual(linesMatching(files, /^export default\b|^export \{[^}]*\bas default\b/), []);
});

test('no check of types is switched off', () => {
  assert.deepEqual(linesMatching(codeFiles(), /@ts-(?:ignore|expect-error|nocheck)\b/).filter(elsewhere), []);
});

test('no test is skipped, singled out or left to do, and none replaces a module', () => {
  const tests = codeFiles().filter(isTest);
  assert.deepEqual(
    linesMatching(
      tests,
      /\b(?:test|it|describe|t|suite|context)\.(?:skip|only|todo)\(|\b(?:skip|only|todo):\s*true\b|mock\.module\(/,
    ).filter(elsewhere),
    [],
  );
});

/** This file names what it looks for. */
function elsewhere(line: string): boolean {
  return !line.startsWith('test/structure/source-files.test.ts:');
}

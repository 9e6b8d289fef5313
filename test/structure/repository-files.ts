import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the repository. */
export const root: string = fileURLToPath(new URL('../..', import.meta.url));

const tracked: readonly string[] = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
  .split('\0')
  .filter((path) => path !== '' && existsSync(join(root, path)))
  .sort();

/** Paths of the tracked files that are there, sorted, relative to the repository with `/`. */
export function trackedFiles(matching: RegExp = /./): readonly string[] {
  return tracked.filter((path) => matching.test(path));
}

/** Program text of ours, tests included. */
export function codeFiles(): readonly string[] {
  return trackedFiles(/^(packages|apps|scripts|test|examples)\/.*\.(ts|js|mjs)$/);
}

/** Whether the file is a test, or only for tests and measurements. */
export function isTest(path: string): boolean {
  return /(?:\.(?:test|contract|bench)|-fixture)\.(?:ts|js|mjs)$/.test(path);
}

/** The text of a file of the repository. */
export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The lines that match, as `path:line  text`, so that a failed test says where. */
export function linesMatching(paths: readonly string[], pattern: RegExp): readonly string[] {
  return paths.flatMap((path) =>
    textOf(path)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}  ${line.trim()}`] : [])),
  );
}

import { globSync } from 'node:fs';

/** The stages of the whole suite, in the order they run. */
export type Stage = 'structure' | 'unit' | 'real' | 'end-to-end';

/**
 * The test files of a stage as sorted paths relative to `root`. `real` files (`x.real.test.ts`) use the host's tools and the engine; all of
 * `test/` but `test/structure` crosses packages and is end-to-end.
 */
export function findTestFiles(root: string, stage: Stage): readonly string[] {
  const found = globSync([...patterns[stage]], { cwd: root, exclude: (path) => path.split('/').includes('node_modules') });
  return found
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => belongs(path, stage))
    .sort();
}

const patterns: { readonly [Name in Stage]: readonly string[] } = {
  structure: ['test/structure/**/*.test.ts'],
  unit: ['packages/**/*.test.ts', 'apps/**/*.test.ts', 'scripts/**/*.test.ts', 'examples/**/*.test.{ts,js,mjs}'],
  real: ['packages/**/*.real.test.ts', 'apps/**/*.real.test.ts', 'examples/**/*.real.test.{ts,js,mjs}'],
  'end-to-end': ['test/**/*.test.ts'],
};

function belongs(path: string, stage: Stage): boolean {
  if (path.split('/').includes('node_modules')) return false;
  if (stage === 'unit') return !/\.real\.test\.[a-z]+$/.test(path);
  if (stage === 'end-to-end') return !path.startsWith('test/structure/');
  return true;
}

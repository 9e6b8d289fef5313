import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importsOf, packageOf } from './imports-of.ts';
import { isTest, linesMatching, textOf, trackedFiles } from './repository-files.ts';

const pure = ['model', 'config', 'plan'] as const;
const impure =
  /\b(?:Date\.now|new Date\(\)|performance\.|Math\.random|randomBytes|randomUUID|randomInt|process\.|console\.|fetch\(|setTimeout\(|setInterval\()/;

for (const name of pure) {
  const files = trackedFiles(new RegExp(`^packages/${name}/src/.*\\.ts$`)).filter((path) => !isTest(path));

  test(`${name} imports nothing that touches the outside world`, () => {
    const manifest = JSON.parse(textOf(`packages/${name}/package.json`)) as { readonly dependencies?: Readonly<Record<string, string>> };
    const allowed = new Set(['node:crypto', ...Object.keys(manifest.dependencies ?? {})]);
    const wrong = files.flatMap((path) =>
      importsOf(path)
        .map(packageOf)
        .filter((found) => found !== undefined && !allowed.has(found))
        .map((found) => `${path} imports ${found}`),
    );
    assert.deepEqual(wrong, []);
  });

  test(`${name} asks for no time, no chance and no process`, () => {
    assert.deepEqual(linesMatching(files, impure), []);
  });
}

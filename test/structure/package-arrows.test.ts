import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importsOf, packageOf } from './imports-of.ts';
import { isTest, textOf, trackedFiles } from './repository-files.ts';

/** From docs/architecture.md, lowest first: each may use those before it. */
const order: readonly string[] = [
  'model',
  'config',
  'plan',
  'catalog',
  'state',
  'router',
  'volumes',
  'engine',
  'git',
  'images',
  'executor',
  'control',
];

interface Manifest {
  readonly name: string;
  readonly exports?: string | Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const manifests = new Map(
  trackedFiles(/^(packages|apps)\/[^/]+\/package\.json$/).map((path) => [
    path.split('/').slice(0, 2).join('/'),
    JSON.parse(textOf(path)) as Manifest,
  ]),
);

function ours(name: string): string | undefined {
  return name.startsWith('@coppice/') ? name.slice('@coppice/'.length) : undefined;
}

function sources(folder: string): readonly string[] {
  return trackedFiles(/\.ts$/).filter((path) => path.startsWith(`${folder}/`));
}

/** `coppice server` is a command of the same program; all else of the command line knows only the HTTP API. */
const serverCommand = 'apps/cli/src/commands/server.ts';

/** Whether the package in `folder` may use the package `name`. */
function mayUse(folder: string, name: string): boolean {
  const rank = (short: string): number => order.indexOf(short);
  if (rank(name) < 0) return false;
  if (folder.startsWith('apps/')) return true;
  return rank(name) < rank(folder.slice('packages/'.length));
}

test('every package stands in the order of the architecture', () => {
  const folders = [...manifests.keys()]
    .filter((folder) => folder.startsWith('packages/'))
    .map((folder) => folder.slice('packages/'.length));
  assert.deepEqual(
    folders.filter((folder) => !order.includes(folder)),
    [],
  );
});

test('imports between packages point downwards only', () => {
  const wrong = [...manifests.keys()].flatMap((folder) =>
    sources(folder).flatMap((path) =>
      importsOf(path)
        .map((specifier) => ours(packageOf(specifier) ?? ''))
        .filter((name): name is string => name !== undefined && `packages/${name}` !== folder && !mayUse(folder, name))
        .filter((name) => !(path === serverCommand && name === 'server'))
        .map((name) => `${path} imports @coppice/${name}`),
    ),
  );
  assert.deepEqual(wrong, []);
});

test('declared dependencies between packages point downwards only', () => {
  const wrong = [...manifests].flatMap(([folder, { dependencies = {} }]) =>
    Object.keys(dependencies)
      .map(ours)
      .filter((name): name is string => name !== undefined && !mayUse(folder, name))
      .filter((name) => !(serverCommand.startsWith(`${folder}/`) && name === 'server'))
      .map((name) => `${folder}/package.json names @coppice/${name}`),
  );
  assert.deepEqual(wrong, []);
});

test('a package declares each package that its code imports, and imports of others only what they export', () => {
  const wrong = [...manifests].flatMap(([folder, { name: self, dependencies = {} }]) =>
    sources(folder)
      .filter((path) => !isTest(path))
      .flatMap((path) =>
        importsOf(path)
          .filter((specifier) => {
            const name = packageOf(specifier);
            if (name === undefined || name.startsWith('node:') || name === self) return false;
            return dependencies[name] === undefined || (ours(name) !== undefined && !exportsOf(name).includes(specifier));
          })
          .map((specifier) => `${path} imports ${specifier}`),
      ),
  );
  assert.deepEqual(wrong, []);
});

/** What may be imported of a package of ours: its name, and the names below it that its manifest exports. */
function exportsOf(name: string): readonly string[] {
  const { exports } = [...manifests.values()].find((manifest) => manifest.name === name) ?? {};
  return typeof exports === 'object' ? Object.keys(exports).map((key) => name + key.slice(1)) : [name];
}

test('no file reaches into the folder of another package', () => {
  const wrong = [...manifests.keys()].flatMap((folder) =>
    sources(folder)
      .filter((path) => path.includes('/src/'))
      .flatMap((path) =>
        importsOf(path)
          .filter((specifier) => specifier.startsWith('.'))
          .map((specifier) => ({ path, target: new URL(specifier, `file:///${path}`).pathname.slice(1) }))
          .filter(({ target }) => /^(packages|apps)\//.test(target) && !target.startsWith(`${folder}/`))
          .map(({ target }) => `${path} imports ${target}`),
      ),
  );
  assert.deepEqual(wrong, []);
});

test('each package has a README and one index that names its exports', () => {
  const missing = [...manifests].flatMap(([folder, manifest]) => {
    const wanted = folder.startsWith('packages/') ? [`${folder}/README.md`, `${folder}/src/index.ts`] : [`${folder}/README.md`];
    const absent = wanted.filter((path) => trackedFiles().every((tracked) => tracked !== path));
    const index = typeof manifest.exports === 'object' ? manifest.exports['.'] : manifest.exports;
    const exported = folder.startsWith('packages/') && index !== './src/index.ts' ? [`${folder}/package.json: exports`] : [];
    return [...absent, ...exported];
  });
  assert.deepEqual(missing, []);
});

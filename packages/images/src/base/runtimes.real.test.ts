import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { loadCatalog } from '@coppice/catalog';
import { docker, loadImage, runContainer, typeOf } from './testing/base-container.ts';

// The newest of each kind; COPPICE_TEST_VERSIONS=all takes every row of the catalog, which needs all bases built.
const wanted = process.env['COPPICE_TEST_VERSIONS'] === 'all' ? undefined : new Set(['nodejs:24', 'python:3.11']);
const commands: Readonly<Record<string, { readonly argv: readonly string[]; readonly expected: (version: string) => RegExp }>> = {
  nodejs: {
    argv: [
      'node',
      '-e',
      "console.log(process.version, process.getuid(), require('node:child_process').execFileSync('npm', ['--version']).toString().trim())",
    ],
    expected: (version) => new RegExp(`^v${version}\\.\\d+\\.\\d+ 1000 \\d+\\.\\d+\\.\\d+\\n$`),
  },
  python: {
    argv: [
      'python',
      '-c',
      'import sys, os, flask, redis, psycopg2, venv, gunicorn; print(sys.version.split()[0], os.getuid(), sys.getfilesystemencoding())',
    ],
    expected: (version) => new RegExp(`^${version.replace('.', '\\.')}\\.\\d+ 1000 utf-8\\n$`),
  },
};

for (const { name, versions } of loadCatalog().types) {
  const command = commands[name];
  if (command === undefined) continue;
  for (const version of versions.filter((one) => wanted?.has(`${name}:${one}`) ?? true)) {
    test(`${name} ${version} runs as its user from a read-only root`, async () => {
      const type = typeOf(name, version);
      const { name: image } = await loadImage(type);
      const container = await runContainer(image, type, { argv: command.argv });
      after(async () => {
        await container.remove();
        await docker(['rmi', '--force', image]);
      });
      await container.start();
      await docker(['wait', container.id]);
      assert.match(await container.logs(), command.expected(version));
    });
  }
}

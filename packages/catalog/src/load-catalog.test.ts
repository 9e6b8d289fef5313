import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { formatDiagnostic, isCoppiceError } from '@coppice/model';
import { loadCatalog } from './load-catalog.ts';
import { typeDirectory } from './type-directory.ts';

const types = fileURLToPath(new URL('../types/', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'coppice-catalog-'));
after(() => rm(folder, { recursive: true, force: true }));

async function problemsOf(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const directory = await mkdtemp(join(folder, 'types-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  try {
    loadCatalog(directory, 'x64');
  } catch (error) {
    if (isCoppiceError(error, 'catalog-invalid')) return error.diagnostics.map(formatDiagnostic);
    throw error;
  }
  return [];
}

test('the catalog that comes with Coppice has the types and versions that are promised', () => {
  assert.deepEqual(loadCatalog(undefined, 'x64').types, [
    { name: 'nodejs', kind: 'application', versions: ['18', '19', '20', '21', '22', '23', '24', '25', '26'] },
    { name: 'postgresql', kind: 'service', versions: ['13', '15', '17'] },
    { name: 'python', kind: 'application', versions: ['3.9', '3.11', '3.13'] },
    { name: 'redis', kind: 'service', versions: ['6', '7', '8'] },
    { name: 'static', kind: 'application', versions: ['1'] },
  ]);
});

test('every type keeps its user, drops every capability, and leaves no placeholder', () => {
  const catalog = loadCatalog(undefined, 'x64');
  for (const { name, versions } of catalog.types) {
    const resolved = versions.map((version) => catalog.resolve({ name, version }, 'exact')).filter((type) => 'base' in type);
    assert.equal(resolved.length, versions.length);
    assert.equal(new Set(resolved.map((type) => JSON.stringify(type.user))).size, 1, `${name} has one user`);
    for (const type of resolved) {
      assert.deepEqual(type.capabilities, []);
      assert.doesNotMatch(JSON.stringify(type), /\{(?:version|processor|node|npm)\}/);
      for (const argument of Object.values(type.properties)) assert.match(argument, /\{value\}/);
    }
  }
});

test('the directory of types says what the file may use', () => {
  const directory = typeDirectory(loadCatalog(undefined, 'x64'));
  assert.deepEqual(directory.get('redis'), {
    name: 'redis',
    kind: 'service',
    versions: ['6', '7', '8'],
    endpoints: ['redis'],
    defaultEndpoint: 'redis',
    properties: ['appendfsync', 'databases', 'maxclients', 'maxmemory', 'maxmemory-policy', 'notify-keyspace-events', 'timeout'],
    startOptional: true,
  });
  assert.deepEqual(directory.get('nodejs')?.startOptional, false);
  assert.deepEqual(directory.get('static')?.startOptional, true);
});

test('no type is named in code', async () => {
  const source = fileURLToPath(new URL('.', import.meta.url));
  const names = (await readdir(types)).map((file) => file.replace('.yaml', ''));
  for (const file of (await readdir(source)).filter((name) => !name.endsWith('.test.ts'))) {
    const code = (await readFile(join(source, file), 'utf8')).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    for (const name of names.filter((one) => one !== 'static')) assert.ok(!code.includes(name), `${file} names ${name}`);
  }
});

test('all that is wrong in any file is told, with its place', async () => {
  const redis = await readFile(join(types, 'redis.yaml'), 'utf8');
  const problems = await problemsOf({
    'redis.yaml': redis.replace('kind: service', 'kind: servise').replace('name: redis, uid: 6379', 'name: redis, uid: 0'),
    'other.yaml': redis,
    'broken.yaml': 'name: [',
  });
  assert.deepEqual(problems.map((problem) => problem.replace(/;.*$/, '')).sort(), [
    'broken.yaml:1:8  Flow sequence in block collection must be sufficiently indented and end with a ]',
    'other.yaml:1:1  the type "redis" belongs into redis.yaml',
    'redis.yaml:3:7  kind must be equal to one of the allowed values',
    'redis.yaml:4:27  user.uid must be >= 1000',
  ]);
});

test('a key that the schema does not know is named', async () => {
  const redis = await readFile(join(types, 'redis.yaml'), 'utf8');
  assert.deepEqual(await problemsOf({ 'redis.yaml': `${redis}\nprivileged: true\n` }), [
    'redis.yaml:2:1  the file must NOT have additional properties "privileged"',
  ]);
});

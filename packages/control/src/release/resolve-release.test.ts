import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Catalog } from '@coppice/catalog';
import type { BuildRequest, BuiltImage, ImageBuilder } from '@coppice/images';
import { CoppiceError, type Diagnostic, type NodeName, type SourceEntry, type SourceTree, sha256, type Topology } from '@coppice/model';
import { nodeName, routeTo } from '@coppice/model/builders';
import { application, builtImage, codeType, databaseType, service, topology, worker } from './release-fixture.ts';
import { buildAll, lookAtBuilds, type NodeBuild, nodeBuilds, type ReleaseInput, resolveRelease } from './resolve-release.ts';

const unknownType: Diagnostic = { code: 'unknown-version', severity: 'error', message: 'there is no code:99', hint: 'there are: 24' };

const catalog: Catalog = {
  types: [],
  resolve: ({ name, version }) => (version === '99' ? unknownType : name === 'code' ? codeType : databaseType),
};

/** A tree of files, each folder of which is a tree too. */
function tree(paths: readonly string[], id = 'f'.repeat(40)): SourceTree {
  const entries = paths.map((path): SourceEntry => ({ path, kind: 'file', id: sha256(path).slice(7, 47), size: 1 }));
  return {
    id,
    async *entries() {
      yield* entries;
    },
    blob: async () => Buffer.from('x'),
    subtree: async (folder) => {
      const below = paths.filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(folder.length + 1));
      return below.length === 0 ? undefined : tree(below, sha256(folder).slice(7, 47));
    },
    entry: async (path) => entries.find((entry) => entry.path === path),
  };
}

function input(nodes: Topology['nodes'], source = tree(['server.js'])): ReleaseInput {
  const typeFiles: ReleaseInput['typeFiles'] = (type, node) => ({ '/etc/made': `${type.name} ${node.name}` });
  return { project: 'shop', topology: topology(nodes), tree: source, catalog, typeFiles };
}

async function onlyBuild(nodes: Topology['nodes'], source?: SourceTree): Promise<NodeBuild> {
  const [build, ...others] = await nodeBuilds(input(nodes, source));
  assert.ok(build);
  assert.deepEqual(others, []);
  return build;
}

/** A builder that makes an image named after each type, or does what `act` does first. */
function imageBuilder(act: (request: BuildRequest) => Promise<void> = async () => undefined): ImageBuilder {
  return {
    look: async ({ type }) => ({ key: builtImage(type.name).key, inputs: [], image: undefined }),
    build: async (request, { onProgress }) => {
      onProgress('building');
      await act(request);
      return builtImage(request.type.name);
    },
  };
}

test('applications and services of a type are built; workers and foreign images are not', async () => {
  const foreign = application('api', { origin: { kind: 'image', reference: 'a@sha256:0' } });
  const source = tree(['server.js']);
  assert.deepEqual(await nodeBuilds(input([foreign, service('db'), application('web'), worker('web', 'mail')], source)), [
    {
      node: 'db',
      type: databaseType,
      sourceTree: undefined,
      request: { project: 'shop', type: databaseType, application: undefined },
    },
    {
      node: 'web',
      type: codeType,
      sourceTree: source.id,
      request: {
        project: 'shop',
        type: codeType,
        application: { source, steps: [], variables: {}, files: { '/etc/made': 'code web' } },
      },
    },
  ]);
});

test('an application is built from its own folder, which has to be there', async () => {
  const source = tree(['server.js', 'apps/web/server.js']);
  const build = await onlyBuild([application('web', { sourceRoot: 'apps/web' })], source);
  assert.equal(build.sourceTree, sha256('apps/web').slice(7, 47));
  await assert.rejects(
    onlyBuild([application('web', { sourceRoot: 'apps/api' })], source),
    new CoppiceError('invalid-configuration', 'source.root of web: the commit has no folder "apps/api"'),
  );
});

test('texts about the project do not enter its build', async () => {
  const [plain, documented] = await Promise.all([
    onlyBuild([application('web')], tree(['README.md', 'server.js'], '1'.repeat(40))),
    onlyBuild([application('web')], tree(['coppice.yaml', 'server.js'], '2'.repeat(40))),
  ]);
  assert.equal(plain.sourceTree, documented.sourceTree);
});

test('the steps are those of the file, else the type’s for the first file that is there, then the build hook', async () => {
  const steps = async (overrides: Parameters<typeof application>[1], files: readonly string[]): Promise<readonly string[] | undefined> => {
    const { request } = await onlyBuild([application('web', overrides)], tree(files));
    return request.application?.steps.map(({ run, inputs }) => (inputs ? `${run} (${inputs.join()})` : run));
  };
  const hooks = { build: 'make', deploy: undefined, postDeploy: undefined };
  const build = [{ run: 'own', inputs: ['a'] }];
  assert.deepEqual(
    {
      locked: await steps({}, ['lock.json', 'package.json']),
      unlocked: await steps({ hooks }, ['package.json']),
      neither: await steps({ hooks }, ['server.js']),
      own: await steps({ build, hooks }, ['lock.json']),
      none: await steps({ build: [] }, ['lock.json']),
    },
    {
      locked: ['install --locked (lock.json)'],
      unlocked: ['install', 'make'],
      neither: ['make'],
      own: ['own (a)', 'make'],
      none: [],
    },
  );
});

test('variables enter a build that runs something, the file’s over the type’s, and no other', async () => {
  const variables = { MODE: 'mine', LEVEL: 'info' };
  const entered = async (files: readonly string[]): Promise<unknown> =>
    (await onlyBuild([application('web', { variables })], tree(files))).request.application?.variables;
  assert.deepEqual(await entered(['lock.json']), { QUIET: '1', MODE: 'mine', LEVEL: 'info' });
  assert.deepEqual(await entered(['server.js']), {});
});

test('a type that the catalog does not have is refused with what there is', async () => {
  const origin = { kind: 'type', type: { name: 'code', version: '99' } } as const;
  await assert.rejects(
    nodeBuilds(input([application('web', { origin })])),
    new CoppiceError('invalid-configuration', 'web: there is no code:99; there are: 24', { diagnostics: [unknownType] }),
  );
});

test('a look says what would be built, by node', async () => {
  const builds = await nodeBuilds(input([service('db'), application('web')]));
  assert.deepEqual(
    await lookAtBuilds(builds, imageBuilder()),
    new Map([
      ['db', { key: builtImage('database').key, inputs: [], image: undefined }],
      ['web', { key: builtImage('code').key, inputs: [], image: undefined }],
    ]),
  );
});

test('all are built, and each line says of which node it is', async () => {
  const builds = await nodeBuilds(input([service('db'), application('web')]));
  const said: string[] = [];
  const options = { say: (line: string) => void said.push(line), signal: new AbortController().signal };
  assert.deepEqual(
    await buildAll(builds, imageBuilder(), options),
    new Map([
      ['db', builtImage('database')],
      ['web', builtImage('code')],
    ]),
  );
  assert.deepEqual(said, ['db: building', 'web: building']);
});

test('a build that fails is told when the others have ended', async () => {
  const builds = await nodeBuilds(input([application('web'), service('db')]));
  const gate = Promise.withResolvers<void>();
  const ended: string[] = [];
  const images = imageBuilder(async ({ type }) => {
    if (type.name === 'code') throw new CoppiceError('build-failed', 'no space');
    await gate.promise;
    ended.push(type.name);
  });
  const building = buildAll(builds, images, { say: () => undefined, signal: new AbortController().signal });
  const refused = assert.rejects(building, new CoppiceError('build-failed', 'no space')).then(() => ended.push('told'));
  await new Promise(setImmediate);
  assert.deepEqual(ended, []);
  gate.resolve();
  await refused;
  assert.deepEqual(ended, ['database', 'told']);
});

test('a release has every node pinned and sorted by name, and what the topology says besides', async () => {
  const reference = `example.org/api@sha256:${'a'.repeat(64)}`;
  const nodes = [worker('web', 'mail'), application('web'), service('db'), application('api', { origin: { kind: 'image', reference } })];
  const rest = { routes: [routeTo('web')], backups: [{ schedule: '0 3 * * *', keep: 14 }] };
  const source = tree(['server.js']);
  const builds = await nodeBuilds(input(nodes, source));
  const images = new Map<NodeName, BuiltImage>(builds.map(({ node, type }) => [node, builtImage(type.name)]));
  const { nodes: pinned, ...others } = resolveRelease(topology(nodes, rest), builds, images);
  const manifest = `sha256:${'a'.repeat(64)}`;
  assert.deepEqual(
    pinned.map(({ name, image, trace }) => ({ name, image, sourceTree: trace.sourceTree })),
    [
      { name: 'api', image: { manifest, config: manifest, foreign: reference }, sourceTree: undefined },
      { name: 'db', image: builtImage('database').image, sourceTree: undefined },
      { name: 'web', image: builtImage('code').image, sourceTree: source.id },
      { name: 'web--mail', image: builtImage('code').image, sourceTree: source.id },
    ],
  );
  assert.deepEqual(others, { v: 1, environments: [], data: { sanitize: undefined }, ...rest });
});

test('an image without a digest, and a Dockerfile, are refused', () => {
  const refusal = (origin: Parameters<typeof application>[1]): void =>
    void resolveRelease(topology([application('api', origin)]), [], new Map());
  for (const reference of ['example.org/api:latest', 'example.org/api', `example.org/api@sha256:${'A'.repeat(64)}`]) {
    assert.throws(
      () => refusal({ origin: { kind: 'image', reference } }),
      new CoppiceError('invalid-configuration', 'api: image must end with @sha256:…; tags move, digests do not'),
    );
  }
  assert.throws(
    () => refusal({ origin: { kind: 'dockerfile', path: 'Dockerfile' } }),
    new CoppiceError('invalid-configuration', 'api: dockerfile is not built yet; use type with build steps, or image with a digest'),
  );
});

test('a node whose image is missing is a fault of ours', async () => {
  const nodes = [application('web')];
  const builds = await nodeBuilds(input(nodes));
  assert.throws(() => resolveRelease(topology(nodes), builds, new Map()), new Error(`no origin was resolved for ${nodeName('web')}`));
});

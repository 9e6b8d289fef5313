import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadCatalog, staticServerFiles, typeDirectory } from '@coppice/catalog';
import type { BuiltImage } from '@coppice/images';
import { digestOf, type SourceEntry, type SourceTree } from '@coppice/model';
import { describePlan, makePlan, type Plan } from '@coppice/plan';
import { overlay } from './overlay.ts';
import { readTopology } from './read-configuration.ts';
import { nodeBuilds, resolveRelease } from './resolve-release.ts';

const examples = join(import.meta.dirname, '..', '..', '..', '..', 'examples');
const catalog = loadCatalog();

for (const name of readdirSync(examples, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))) {
  test(`the first push of ${name} has its golden plan`, async () => {
    const path = join(import.meta.dirname, 'golden', `${name}.txt`);
    const text = planText(await firstPlan(folderTree(join(examples, name))));
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, text);
    assert.equal(text, readFileSync(path, 'utf8'));
  });
}

async function firstPlan(tree: SourceTree): Promise<Plan> {
  const { topology } = await readTopology(tree, typeDirectory(catalog));
  const typeFiles: Parameters<typeof nodeBuilds>[0]['typeFiles'] = (type, node) =>
    type.webServer === undefined ? {} : staticServerFiles(node.web.locations);
  const builds = await nodeBuilds({ project: 'golden', topology, tree, catalog, typeFiles });
  const images = new Map(builds.map(({ node }): [typeof node, BuiltImage] => [node, builtImage(node)]));
  const release = resolveRelease(topology, builds, images);
  const spec = overlay(release, digestOf(release), 'main');
  const desired = { exists: true, run: 'up', spec, dataGeneration: 0, attempt: undefined } as const;
  return makePlan({
    desired,
    observed: { network: false, generations: [], jobs: [], volumes: [], routes: undefined, hold: undefined },
    jobs: [],
    routes: undefined,
  });
}

/** Stands for what a build gives; only that it differs by node matters here. */
function builtImage(node: string): BuiltImage {
  const key = digestOf({ node });
  return { key, inputs: [], image: { manifest: key, config: key }, built: true };
}

/** The plan in words, and its steps with digests left out, so that a new version in the catalog does not change it. */
function planText(plan: Plan): string {
  const plain = (id: string): string => id.replace(/ [0-9a-f]{12,}$/, '');
  const steps = plan.steps.map(
    (step) => `  ${plain(step.id)}${step.after.length === 0 ? '' : `  after ${step.after.map(plain).join(', ')}`}`,
  );
  return `${[...describePlan(plan), 'steps:', ...steps].join('\n')}\n`;
}

/** A folder on disk as a commit would have it, without installed packages. */
function folderTree(root: string): SourceTree {
  const entries = readdirSync(root, { withFileTypes: true, recursive: true })
    .map((found) => ({ found, path: join(found.parentPath, found.name).slice(root.length + 1) }))
    .filter(({ path }) => !path.startsWith('node_modules'))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ found, path }): SourceEntry => {
      if (found.isDirectory()) return { path, kind: 'folder', id: blobId(Buffer.from(path)), size: 0 };
      const content = readFileSync(join(root, path));
      return { path, kind: 'file', id: blobId(content), size: content.length };
    });
  return {
    id: blobId(Buffer.from(entries.map((entry) => `${entry.path} ${entry.id}`).join('\n'))),
    async *entries() {
      yield* entries;
    },
    blob: async (id) => readFileSync(join(root, entries.find((entry) => entry.id === id)?.path ?? '')),
    subtree: async (path) =>
      entries.some((entry) => entry.path === path && entry.kind === 'folder') ? folderTree(join(root, path)) : undefined,
    entry: async (path) => entries.find((entry) => entry.path === path),
  };
}

function blobId(content: Buffer): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

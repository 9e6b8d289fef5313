import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { BaseRecipe } from '@coppice/catalog';
import { CoppiceError, type Digest, digestOf } from '@coppice/model';
import { extract } from 'tar-stream';
import type { BaseCache, BasePart } from './base-cache.ts';
import { builderVersion } from './builder-version.ts';
import { hostEnvironment } from './host-apt.ts';
import { runTool } from './run-tool.ts';

type NpmPackage = BaseRecipe['npm'][number];

/** The layer of one npm package laid into the root at its target, the same under all bases that have it. */
export async function npmLayer(
  cache: BaseCache,
  npm: NpmPackage,
  progress: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<BasePart> {
  const key = npmLayerKey(npm);
  const make = async (scratch: string) => {
    progress(`base: fetching ${npm.package} ${npm.version}`);
    const beganSeconds = Date.now() / 1000;
    const tarball = await download(npm, scratch, signal);
    const folder = join(scratch, 'content');
    await unpack(tarball, folder, npm.only);
    const packages = [{ name: npm.package, version: npm.version, source: `npm:${npm.package}` }];
    return { content: { folder, prefix: npm.target.slice(1), isKept: () => true, removed: [], beganSeconds }, packages };
  };
  return cache.findOrMake(key, `npm-${key.slice(7)}`, make, signal);
}

/** Key of such a layer. */
export function npmLayerKey(npm: NpmPackage): Digest {
  return digestOf({ v: builderVersion, part: 'npm', package: npm.package, version: npm.version, target: npm.target, only: npm.only });
}

/** Downloads the package with the host's npm, which knows its registry and checks the content. */
async function download(npm: NpmPackage, scratch: string, signal: AbortSignal | undefined): Promise<string> {
  const purpose = `fetching ${npm.package} ${npm.version} from npm`;
  const argv = ['npm', 'pack', `${npm.package}@${npm.version}`, '--ignore-scripts', '--silent'];
  await runTool({ argv, cwd: scratch, environment: hostEnvironment(), purpose, signal });
  const tarball = (await readdir(scratch)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new CoppiceError('base-failed', `${purpose}: npm wrote no file`);
  return join(scratch, tarball);
}

/** Writes the regular files of a package below `folder`. Like npm itself it drops the first folder of every path, and all links. */
async function unpack(tarball: string, folder: string, only: readonly string[]): Promise<void> {
  const wanted = (path: string) => only.length === 0 || only.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
  await mkdir(folder, { recursive: true });
  const entries = extract();
  const read = pipeline(createReadStream(tarball), createGunzip(), entries);
  for await (const entry of entries) {
    const path = entry.header.name.split('/').slice(1).join('/');
    if (path.split('/').some((part) => part === '' || part === '.' || part === '..') || entry.header.type !== 'file' || !wanted(path)) {
      entry.resume();
      continue;
    }
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await pipeline(entry, createWriteStream(target));
    await chmod(target, ((entry.header.mode ?? 0) & 0o111) === 0 ? 0o644 : 0o755);
  }
  await read;
}

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BaseRecipe } from '@coppice/catalog';
import { type Digest, digestOf, isCoppiceError } from '@coppice/model';
import { compareBytes } from '../layer/byte-order.ts';
import type { BaseCache, BasePart } from './base-cache.ts';
import { builderVersion, debianArchitecture } from './builder-version.ts';
import { hostAcquireSettings, hostEnvironment, hostSourcesList } from './host-apt.ts';
import { installedPackages } from './installed-packages.ts';
import { type IsolatedRoot, isolatedRoot, packageEnvironment } from './isolated-root.ts';
import { isKept } from './kept-paths.ts';
import { type MinimalRoot, minimalRootKey, releaseLock } from './minimal-root.ts';

/** What a recipe adds to the minimal root of its release. Recipes that differ in npm packages alone share it. */
export type PackageRecipe = Pick<BaseRecipe, 'debian' | 'prepare' | 'packages' | 'setup'>;

/** Key of the layer of a recipe's packages. */
export function packageLayerKey(recipe: PackageRecipe): Digest {
  const { debian, prepare, packages, setup } = recipe;
  return digestOf({ v: builderVersion, part: 'packages', below: minimalRootKey(debian), prepare, packages: [...packages].sort(), setup });
}

/** The layer that the recipe's packages and commands make above the minimal root. */
export async function packageLayer(
  cache: BaseCache,
  recipe: PackageRecipe,
  below: MinimalRoot,
  progress: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<BasePart> {
  const make = async (scratch: string) => {
    const beganSeconds = Date.now() / 1000;
    const root = await isolatedRoot({ lower: below.folder, scratch, signal });
    for (const command of recipe.prepare) await root.runInside(command, `preparing: ${command}`);
    if (recipe.packages.length > 0) {
      progress(`base ${recipe.debian}: installing ${recipe.packages.join(', ')}`);
      await installPackages(root, recipe, cache.aptDirectory(recipe.debian), scratch);
    }
    for (const command of recipe.setup) {
      progress(`base ${recipe.debian}: ${command.split('\\n', 1)[0]}`);
      await root.runInside(command, `setting up: ${command}`);
    }
    const packages = installedPackages(
      await root.run(['cat', join(root.path, 'var/lib/dpkg/status')], 'listing packages', packageEnvironment),
    );
    const content = { folder: root.upper, prefix: '', isKept, removed: await removedPaths(root, below.folder), beganSeconds };
    return { content, packages };
  };
  return cache.findOrMake(packageLayerKey(recipe), releaseLock(recipe.debian), make, signal);
}

async function installPackages(root: IsolatedRoot, recipe: PackageRecipe, apt: string, scratch: string): Promise<void> {
  const settings = join(scratch, 'apt.conf');
  const sources = join(apt, 'sources.list');
  const ofHost = await hostSourcesList(recipe.debian);
  if (ofHost !== undefined) await writeFile(sources, ofHost);
  await writeFile(settings, aptSettings({ root: root.path, lists: join(apt, 'lists'), sources }) + (await hostAcquireSettings()));
  await mkdir(join(apt, 'lists/partial'), { recursive: true });

  const environment = { ...hostEnvironment(), ...packageEnvironment, APT_CONFIG: settings };
  const names = recipe.packages.join(', ');
  const aptGet = (argv: readonly string[], purpose: string) => root.run(['apt-get', '--yes', '--quiet', ...argv], purpose, environment);
  const download = () => aptGet(['install', '--download-only', ...recipe.packages], `downloading ${names}`);
  const update = () => aptGet(['update'], `reading the package lists of ${recipe.debian}`);
  try {
    await download();
  } catch (error) {
    // Lists that are older than the mirror name files that are gone from it.
    if (!isCoppiceError(error, 'base-failed')) throw error;
    await update();
    await download();
  }
  await aptGet(['install', '--no-download', ...recipe.packages], `installing ${names}`);
}

function aptSettings(paths: { readonly root: string; readonly lists: string; readonly sources: string }): string {
  const architecture = debianArchitecture();
  return [
    `APT::Architecture "${architecture}";`,
    `APT::Architectures { "${architecture}"; };`,
    'APT::Install-Recommends "false";',
    'APT::Sandbox::User "root";',
    'Acquire::Languages "none";',
    `Dir "${paths.root}/";`,
    `Dir::Etc::SourceList "${paths.sources}";`,
    'Dir::Etc::SourceParts "/dev/null";',
    `Dir::State::Lists "${paths.lists}";`,
    `Dir::State::Status "${paths.root}/var/lib/dpkg/status";`,
    `Dir::Cache::Archives "${paths.root}/tmp/archives";`,
    'Dir::Cache::pkgcache "";',
    'Dir::Cache::srcpkgcache "";',
    'Dir::Log "/dev/null";',
    `DPkg::Chroot-Directory "${paths.root}";`,
    'DPkg::Options { "--force-unsafe-io"; "--force-confold"; };',
    'DPkg::Use-Pty "false";',
    '',
  ].join('\n');
}

/** What the minimal root has and the finished one has not; of a folder that is gone, the folder alone. */
async function removedPaths(root: IsolatedRoot, lower: string): Promise<readonly string[]> {
  const listing = (folder: string) => ['find', folder, '-xdev', '-mindepth', '1', '-printf', '%P\\0'];
  const paths = async (folder: string) =>
    (await root.run(listing(folder), 'comparing with the minimal system', packageEnvironment)).split('\0');
  // One after the other: two overlays over one upper folder at once are undefined.
  const before = await paths(lower);
  const after = await paths(root.path);
  const left = new Set(after);
  const removed = before.filter((path) => path !== '' && isKept(path) && !left.has(path));
  const removedSet = new Set(removed);
  return removed.filter((path) => !removedSet.has(dirname(path))).sort(compareBytes);
}

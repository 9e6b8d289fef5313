import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BaseRecipe } from '@coppice/catalog';
import { type Digest, digestOf } from '@coppice/model';
import type { BaseCache, BasePart } from './base-cache.ts';
import { builderVersion, debianArchitecture } from './builder-version.ts';
import { hostAcquireSettings, hostEnvironment, hostSourcesList } from './host-apt.ts';
import { installedPackages } from './installed-packages.ts';
import { isKept } from './kept-paths.ts';
import { runTool } from './run-tool.ts';

// The rules stay in the root, so they hold for what is installed into it later too.
const dpkgOptions = [
  'path-exclude=/usr/share/man/*',
  'path-exclude=/usr/share/info/*',
  'path-exclude=/usr/share/locale/*',
  'path-exclude=/usr/share/lintian/*',
  'path-exclude=/usr/share/doc/*',
  'path-include=/usr/share/doc/*/copyright',
  'force-unsafe-io',
];

// Bookworm would else move files into /usr by a program that needs all of Perl, 45 MB, in every image.
const releaseOptions: Readonly<Record<BaseRecipe['debian'], readonly string[]>> = {
  bullseye: [],
  bookworm: ['--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr', '--include=usr-is-merged'],
  trixie: [],
};

/** The root of a release as a layer. */
export interface MinimalRoot extends BasePart {
  /** The same as a folder. */
  readonly folder: string;
}

/** Key of the lowest layer of all bases of a release. */
export function minimalRootKey(release: BaseRecipe['debian']): Digest {
  return digestOf({ v: builderVersion, part: 'minimal', release, architecture: debianArchitecture(), dpkgOptions });
}

/** The essential packages of a release and nothing else: one layer under all bases of it. */
export async function minimalRoot(
  cache: BaseCache,
  release: BaseRecipe['debian'],
  progress: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<MinimalRoot> {
  const key = minimalRootKey(release);
  const folder = cache.rootDirectory(key);
  const make = async (scratch: string) => {
    progress(`base ${release}: installing the minimal system`);
    const beganSeconds = Date.now() / 1000;
    const made = join(scratch, 'root');
    const sources = await hostSourcesList(release);
    await bootstrap({ release, scratch, made, sources, signal });
    await keepPackageLists(cache.aptDirectory(release), made, sources);
    // runc gives a tmpfs the mode of the folder it covers, whatever the mount's options say; services run without privileges.
    await chmod(join(made, 'run'), 0o1777);
    await rm(folder, { recursive: true, force: true });
    await mkdir(dirname(folder), { recursive: true });
    await rename(made, folder);
    const packages = installedPackages(await readFile(join(folder, 'var/lib/dpkg/status'), 'utf8'));
    return { content: { folder, prefix: '', isKept, removed: [], beganSeconds }, packages };
  };
  return { ...(await cache.findOrMake(key, releaseLock(release), make, signal)), folder };
}

/** Name of the lock under which a release's root and package lists are read and written. */
export function releaseLock(release: BaseRecipe['debian']): string {
  return `release-${release}`;
}

async function bootstrap(options: {
  readonly release: BaseRecipe['debian'];
  readonly scratch: string;
  readonly made: string;
  readonly sources: string | undefined;
  readonly signal: AbortSignal | undefined;
}): Promise<void> {
  const { release, scratch, made, sources, signal } = options;
  const settings = join(scratch, 'host-apt.conf');
  await writeFile(settings, await hostAcquireSettings());
  const sourcesFile = join(scratch, 'sources.list');
  if (sources !== undefined) await writeFile(sourcesFile, sources);
  await runTool({
    argv: [
      ...[
        'unshare',
        '--mount',
        '--pid',
        '--fork',
        '--kill-child',
        'mmdebstrap',
        '--mode=root',
        '--variant=essential',
        '--format=directory',
      ],
      ...['--skip=cleanup/apt/lists', `--architectures=${debianArchitecture()}`, `--aptopt=${settings}`],
      ...releaseOptions[release],
      ...dpkgOptions.map((option) => `--dpkgopt=${option}`),
      // Without sources of the host, mmdebstrap takes Debian's own.
      ...[release, made, ...(sources === undefined ? [] : [sourcesFile])],
    ],
    environment: hostEnvironment(),
    purpose: `installing the minimal system of ${release}`,
    signal,
  });
}

/** Moves what apt downloaded about the release out of the root, for the packages to come. */
async function keepPackageLists(apt: string, made: string, sources: string | undefined): Promise<void> {
  await mkdir(apt, { recursive: true });
  await rm(join(apt, 'lists'), { recursive: true, force: true });
  await rename(join(made, 'var/lib/apt/lists'), join(apt, 'lists'));
  await mkdir(join(made, 'var/lib/apt/lists/partial'), { recursive: true });
  await writeFile(join(apt, 'sources.list'), sources ?? (await readFile(join(made, 'etc/apt/sources.list'), 'utf8')));
}

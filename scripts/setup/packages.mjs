import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from './run-command.mjs';
import { SetupFailure } from './setup-failure.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The npm packages at the versions of package-lock.json. */
export const packagesStep = {
  title: 'npm packages',
  missing: async () => {
    const wanted = readPackages(join(root, 'package-lock.json'));
    const present = readPackages(join(root, 'node_modules', '.package-lock.json'));
    if (present === undefined) return ['not installed'];
    return difference(wanted ?? {}, present);
  },
  provide: async () => {
    // Not `npm ci`: it would pull the folder away from under a running server, and it fails where a registry does not carry the packages
    // for other platforms. Versions and checksums are those of the lock file, which stays as it is.
    const result = await npm(['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']);
    if (result !== 0)
      throw new SetupFailure(`npm install failed (${result})`, ['see its output above; is the package registry reachable?']);
  },
};

/** Content is compared, not times: a fresh clone's lock file is younger than any cache of packages. */
function difference(wanted, present) {
  const lines = [];
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || !path.includes('node_modules/')) continue;
    const there = present[path];
    if (there === undefined ? entry.optional !== true : there.version !== entry.version || there.integrity !== entry.integrity)
      lines.push(path);
  }
  if (!existsSync(join(root, 'node_modules', '.bin', 'node')) && process.platform === 'linux') lines.push('the pinned Node');
  return lines.length > 5 ? [`${lines.length} packages to install or change`] : lines;
}

function readPackages(path) {
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? {};
  } catch {
    // Half written by an install that was cut off: as good as not there.
    return undefined;
  }
}

function npm(args) {
  const script = process.env['npm_execpath'] ?? '';
  return basename(script) === 'npm-cli.js'
    ? runCommand(process.env['npm_node_execpath'] ?? process.execPath, [script, ...args], { cwd: root })
    : runCommand('npm', args, { cwd: root });
}

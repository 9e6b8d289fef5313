import type { InstalledPackage } from './base-layers.ts';

/** The installed packages that a dpkg status file (`/var/lib/dpkg/status`) tells of, sorted by name. */
export function installedPackages(status: string): readonly InstalledPackage[] {
  const packages: InstalledPackage[] = [];
  for (const stanza of status.split(/\n\n+/)) {
    const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1];
    const name = field('Package');
    const version = field('Version');
    if (name === undefined || version === undefined || !/ installed$/.test(field('Status') ?? '')) continue;
    // `Source: name (version)` where the versions differ; without a Source field both names are one.
    packages.push({ name, version, source: field('Source')?.split(' ')[0] ?? name });
  }
  return packages.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program of the host, and the Debian package it comes from. */
export interface Tool {
  readonly program: string;
  readonly debianPackage: string;
}

const required: readonly Tool[] = [
  { program: 'git', debianPackage: 'git' },
  { program: 'haproxy', debianPackage: 'haproxy' },
  { program: 'mmdebstrap', debianPackage: 'mmdebstrap' },
  { program: 'nft', debianPackage: 'nftables' },
];

/** Where a user's PATH often does not lead. */
const alsoSearched: readonly string[] = ['/usr/sbin', '/sbin'];

/** What the server needs and does not find. It installs nothing itself. */
export function missingTools(path: string = process.env['PATH'] ?? '', also: readonly string[] = alsoSearched): readonly Tool[] {
  const folders = [...path.split(delimiter), ...also];
  return required.filter((tool) => !folders.some((folder) => isExecutable(join(folder, tool.program))));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where a server keeps everything, and who it is. */
export interface DataDirectory {
  readonly root: string;
  /** Of 12 hexadecimal digits, made once: labels and names of what this server owns carry it. */
  readonly serverId: string;
  /** Secret that the engine pulls images with. */
  readonly registryToken: string;
  at(name: string): string;
}

/** Opens DIR, creating what is missing with modes that keep others out. */
export function openDataDirectory(root: string): DataDirectory {
  mkdirSync(root, { recursive: true, mode: 0o711 });
  const at = (name: string): string => join(root, name);
  return {
    root,
    at,
    serverId: remembered(at('server-id'), () => randomBytes(6).toString('hex')),
    registryToken: remembered(at('registry-token'), () => randomBytes(24).toString('base64url')),
  };
}

/** Writes the administrator's token where there is none yet; answers its path. */
export function writeAdminToken(directory: DataDirectory, issue: () => string): string {
  const path = directory.at('admin-token');
  if (!existsSync(path)) writeFileSync(path, `${issue()}\n`, { mode: 0o600 });
  return path;
}

function remembered(path: string, make: () => string): string {
  if (!existsSync(path)) writeFileSync(path, `${make()}\n`, { mode: 0o600 });
  return readFileSync(path, 'utf8').trim();
}

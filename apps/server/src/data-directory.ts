import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CoppiceError } from '@coppice/model';

/** Where a server keeps everything, and who it is. */
export interface DataDirectory {
  readonly root: string;
  /** Of 12 hexadecimal digits, made once: labels and names of what this server owns carry it. */
  readonly serverId: string;
  /** Secret that the engine pulls images with. */
  readonly registryToken: string;
  at(name: string): string;
}

/** Opens DIR, creating what is missing with modes that keep others out. Throws `state-failed` where a file holds something else. */
export function openDataDirectory(root: string): DataDirectory {
  mkdirSync(root, { recursive: true, mode: 0o711 });
  const at = (name: string): string => join(root, name);
  return {
    root,
    at,
    serverId: remembered({ path: at('server-id'), make: () => randomBytes(6).toString('hex'), form: /^[0-9a-f]{12}$/ }),
    registryToken: remembered({ path: at('registry-token'), make: () => randomBytes(24).toString('base64url'), form: /^[\w-]{32}$/ }),
  };
}

/** Writes the administrator's token where there is none yet; answers its path. */
export function writeAdminToken(directory: DataDirectory, issue: () => string): string {
  const path = directory.at('admin-token');
  if (isMissing(path)) writeFileSync(path, `${issue()}\n`, { mode: 0o600 });
  return path;
}

interface Remembered {
  readonly path: string;
  readonly make: () => string;
  readonly form: RegExp;
}

function remembered({ path, make, form }: Remembered): string {
  if (isMissing(path)) writeFileSync(path, `${make()}\n`, { mode: 0o600 });
  const text = readFileSync(path, 'utf8').trim();
  if (form.test(text)) return text;
  throw new CoppiceError('state-failed', `${path} does not hold what a server wrote there`, { hint: 'put the file back as it was' });
}

/** An empty file is what a crash between its making and its writing leaves. */
function isMissing(path: string): boolean {
  return !existsSync(path) || statSync(path).size === 0;
}

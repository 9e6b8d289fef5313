import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { CoppiceError } from '@coppice/model';

const keyBytes = 32;

/** The key in the file, which is 32 bytes as base64; undefined where there is no file. Throws `secret-unreadable`. */
export function readSecretKey(path: string): Buffer | undefined {
  if (!existsSync(path)) return undefined;
  const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64');
  if (key.length !== keyBytes) {
    throw new CoppiceError('secret-unreadable', `${path} does not hold a key`, {
      hint: 'restore it from the backup that the database is from',
    });
  }
  return key;
}

/** Makes the key file, mode 0600, whole or not at all, and answers what it holds; one that is there already stays. */
export function makeSecretKey(path: string): Buffer {
  const draft = `${path}.${process.pid}`;
  rmSync(draft, { force: true });
  const file = openSync(draft, 'wx', 0o600);
  try {
    writeSync(file, `${randomBytes(keyBytes).toString('base64')}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  // A link, unlike a rename, never replaces a key that another process made in the meantime.
  if (!existsSync(path)) linkSync(draft, path);
  rmSync(draft);
  const key = readSecretKey(path);
  if (key === undefined) throw new CoppiceError('state-failed', `${path} vanished while it was made`);
  return key;
}

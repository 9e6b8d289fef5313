import { arch } from 'node:process';
import { CoppiceError } from '@coppice/model';

/** Raised when the same recipe makes other content than before: enters every key. */
export const builderVersion = 3;

/** Debian's name of this machine's processor. Throws `base-failed` where Debian or Node has none for it. */
export function debianArchitecture(processor: string = arch): string {
  const name = { x64: 'amd64', arm64: 'arm64' }[processor];
  if (name === undefined) throw new CoppiceError('base-failed', `bases are built for x64 and arm64 machines, not for ${processor}`);
  return name;
}

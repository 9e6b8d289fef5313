import { createHash } from 'node:crypto';

const maxLength = 40;

/**
 * The DNS label an environment gets from its branch: lower case, what a label cannot hold as `-`, starting with a letter, at most
 * 40 characters; where that loses something a short hash of the branch's bytes is appended. `taken` names are avoided by hashing again.
 */
export function environmentName(branch: string, taken: ReadonlySet<string> = new Set()): string {
  const squeezed = branch
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  const base = /^[a-z]/.test(squeezed) ? squeezed : squeezed === '' ? 'env' : `b-${squeezed}`;
  const lossless = base === branch && base.length <= maxLength;
  if (lossless && !taken.has(base)) return base;
  for (let round = 0; ; round += 1) {
    const hash = createHash('sha256')
      .update(`${round === 0 ? '' : `${round}:`}${branch}`)
      .digest('hex')
      .slice(0, 6);
    const name = `${base.slice(0, maxLength - 7).replace(/-+$/, '')}-${hash}`;
    if (!taken.has(name)) return name;
  }
}

import { CoppiceError } from '@coppice/model';
import { shown } from './tree-object.ts';

/** Links followed on the way of one, as Linux has it. */
const maxHops = 40;
/** Path parts looked at for all links of a tree together: what a bomb of links may cost us. */
const maxSteps = 2_000_000;
/** Below this depth a tree has no links; see the cap on depth. */
const maxDepth = 64;

/**
 * Checks that no symbolic link leads out of the repository, also by way of other links: an absolute target, or `..` above the root.
 * A link may dangle. `links`: target by path. Throws `invalid-tree` naming path and target.
 */
export function checkLinkTargets(links: ReadonlyMap<string, string>): void {
  let steps = 0;
  for (const [path, target] of links) {
    steps += followLink(links, path, target);
    if (steps > maxSteps) throw new CoppiceError('invalid-tree', 'the tree has too many or too long symbolic links');
  }
}

/** How many parts were looked at. */
function followLink(links: ReadonlyMap<string, string>, path: string, target: string): number {
  const refuse = (why: string): never => {
    throw new CoppiceError('invalid-tree', `${shown(path, '')} is a symbolic link to ${shown(target, '')}, which ${why}`, {
      hint: 'links may lead only to files of the same repository, by a relative path',
    });
  };
  if (target === '' || target.includes('\0')) refuse('is no path');
  if (target.startsWith('/')) refuse('is an absolute path');
  const at: string[] = path.split('/').slice(0, -1);
  const ahead = reversedParts(target);
  let hops = 0;
  let steps = 0;
  for (let part = ahead.pop(); part !== undefined; part = ahead.pop()) {
    steps += 1;
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (at.pop() === undefined) refuse('leaves the repository');
      continue;
    }
    const through = at.length < maxDepth ? links.get([...at, part].join('/')) : undefined;
    if (through === undefined) at.push(part);
    else if (through.startsWith('/')) refuse('leaves the repository');
    else {
      hops += 1;
      if (hops > maxHops) refuse('leads in a circle');
      ahead.push(...reversedParts(through));
    }
  }
  return steps;
}

function reversedParts(path: string): string[] {
  return path.split('/').reverse();
}

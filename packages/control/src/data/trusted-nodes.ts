import { CoppiceError, type NodeName, type NodeSpec, nodeDigest } from '@coppice/model';

/**
 * Those of `nodes` that may run on foreign data before it is sanitised: services of the catalog, and what is exactly as in the release that
 * demands it. Anything else would be code of the branch, which could keep what it reads. What a node needs has to be trusted with it. Pure.
 */
export function trustedNodes(nodes: readonly NodeSpec[], demanding: readonly NodeSpec[]): ReadonlySet<NodeName> {
  const known = new Set(demanding.map(nodeDigest));
  const here = new Set(nodes.map(({ name }) => name));
  let trusted = nodes.filter((node) => isOfTheCatalog(node) || known.has(nodeDigest(node)));
  for (;;) {
    const names = new Set(trusted.map(({ name }) => name));
    const left = trusted.filter(({ relationships }) => relationships.every(({ node }) => names.has(node) || !here.has(node)));
    if (left.length === trusted.length) return names;
    trusted = left;
  }
}

/** The error of data that cannot be sanitised. */
export function untrusted(sanitizer: NodeName, needed: NodeName): CoppiceError {
  const what = `${sanitizer} cannot sanitise the data: it needs ${needed}, which is other code here and would run on the data before`;
  return new CoppiceError('conflict', what, {
    hint: `let ${needed} and what it needs be as where the data comes from, or start without data: git push -o no-clone`,
  });
}

function isOfTheCatalog({ kind, trace }: NodeSpec): boolean {
  return kind === 'service' && trace.type !== 'image';
}

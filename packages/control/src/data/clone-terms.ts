import {
  CoppiceError,
  type Digest,
  type EnvironmentRule,
  type EnvironmentSpec,
  type NodeSpec,
  type Release,
  type Sanitize,
} from '@coppice/model';
import { globMatches } from '../release/overlay.ts';
import { trustedNodes, untrusted } from './trusted-nodes.ts';

/** What a copy of data is to hold to: whose it is, by the release that was live, and who gets it. */
export interface CloneTerms {
  /** The data's own release and the spec that served it. */
  readonly origin: { readonly release: Release; readonly spec: EnvironmentSpec; readonly specDigest: Digest };
  /** What is to run on it. */
  readonly target: { readonly release: Release; readonly spec: EnvironmentSpec; readonly branch: string };
}

/** Why a new branch starts empty; undefined where it gets a copy. The parent's release decides; the branch's own can only be stricter. Pure. */
export function startsEmpty({ origin, target }: CloneTerms): string | undefined {
  const isEmpty = ({ environments }: Release): boolean => ruleFor(environments, target.branch)?.data === 'empty';
  if (isEmpty(origin.release)) return 'the parent gives it none (environments: data: empty)';
  return isEmpty(target.release) ? 'its file wants none (environments: data: empty)' : undefined;
}

/**
 * The job that must succeed on the data before anything reaches it; undefined where its own release asks for none. It runs what that
 * release runs: a branch cannot take it away, or change what it does. Throws `conflict` where the target lacks what the job needs, or would
 * run code of its own for it. Pure.
 */
export function sanitizeFor({ origin, target }: CloneTerms): Sanitize | undefined {
  const wanted = origin.release.data.sanitize;
  if (!wanted) return undefined;
  const node = nodeOf(origin.spec, wanted.node);
  const lacking = (node?.relationships ?? []).filter((relationship) => {
    const own = nodeOf(target.spec, wanted.node)?.relationships;
    return !own?.some(({ name, node: to }) => name === relationship.name && to === relationship.node);
  });
  if (!node || !nodeOf(target.spec, wanted.node) || lacking.length > 0) {
    const what =
      lacking.length === 0
        ? `has no ${wanted.node}`
        : `has no relationship ${lacking.map(({ name }) => name).join(', ')} of ${wanted.node}`;
    throw new CoppiceError(
      'conflict',
      `the data must be sanitised by ${wanted.node} (data.sanitize of where it comes from), and ${target.branch} ${what}`,
      {
        hint: 'declare it as it is there, or start without data: git push -o no-clone',
      },
    );
  }
  const trusted = trustedNodes(target.spec.nodes, origin.spec.nodes);
  const needed = node.relationships.find((relationship) => !trusted.has(relationship.node));
  if (needed) throw untrusted(wanted.node, needed.node);
  return { node: wanted.node, run: wanted.run, timeoutMs: wanted.timeoutMs, spec: origin.specDigest };
}

function ruleFor(rules: readonly EnvironmentRule[], branch: string): EnvironmentRule | undefined {
  return rules.find((rule) => globMatches(rule.match, branch));
}

function nodeOf({ nodes }: EnvironmentSpec, name: string): NodeSpec | undefined {
  return nodes.find((node) => node.name === name);
}

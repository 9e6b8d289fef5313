import type { Digest, EnvironmentRule, EnvironmentSpec, NodeSpec, Release } from '@coppice/model';

/** The release as one branch runs it: the first rule whose glob fits the branch sets sizes, instances, variables and when it sleeps. */
export function overlay(release: Release, digest: Digest, branch: string): EnvironmentSpec {
  const rule = release.environments.find((candidate) => globMatches(candidate.match, branch));
  return {
    v: 1,
    release: digest,
    nodes: rule ? release.nodes.map((node) => overlayNode(node, rule)) : release.nodes,
    routes: release.routes,
    ...(rule?.suspendAfterMs === undefined ? {} : { suspendAfterMs: rule.suspendAfterMs }),
  };
}

function overlayNode(node: NodeSpec, rule: EnvironmentRule): NodeSpec {
  const variables = node.kind === 'service' ? node.variables : { ...node.variables, ...rule.variables };
  return {
    ...node,
    variables,
    resources: { ...node.resources, ...rule.resources[node.name] },
    instances: rule.instances[node.name] ?? node.instances,
  };
}

/** `*` within a segment, `**` across segments, `?` one character; everything else is itself. */
export function globMatches(glob: string, branch: string): boolean {
  const source = glob.replace(/\*\*|\*|\?|[^*?]+/g, (part) => {
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    return part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  });
  return new RegExp(`^${source}$`, 'su').test(branch);
}

import { type EnvironmentSpec, type NodeSpec, nodeDigest } from '@coppice/model';

/** Whether bringing one release in place of the other touches a node with data, or runs a deploy hook. Pure. */
export function touchesData(before: EnvironmentSpec, after: EnvironmentSpec): boolean {
  const served = new Map(before.nodes.map((node) => [node.name, node]));
  const wanted = new Map(after.nodes.map((node) => [node.name, node]));
  const replaced = (node: NodeSpec): boolean => {
    const other = served.get(node.name);
    return other === undefined || nodeDigest(other) !== nodeDigest(node);
  };
  const hooks = after.nodes.some(
    (node) => node.hooks.deploy !== undefined && (replaced(node) || served.get(node.name)?.hooks.deploy !== node.hooks.deploy),
  );
  if (hooks || after.nodes.some((node) => keepsData(node) && replaced(node))) return true;
  return before.nodes.some((node) => {
    const next = wanted.get(node.name);
    return keepsData(node) && (next === undefined || nodeDigest(next) !== nodeDigest(node));
  });
}

/** Whether any of its folders outlives its instances. */
export function keepsData(node: Pick<NodeSpec, 'mounts'>): boolean {
  return node.mounts.some((mount) => mount.source !== 'tmp');
}

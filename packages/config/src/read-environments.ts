import type { EnvironmentRule, Resources, TopologyNode } from '@coppice/model';
import { readDuration } from './amounts.ts';
import { type Cursor, child, entries, items, keyAt, valueAt } from './cursor.ts';
import { suggestion } from './nearest-name.ts';
import { quote } from './quote.ts';
import type { RawEnvironmentRule } from './raw-file.ts';
import { exclusiveError } from './read-application.ts';
import { readResources } from './read-resources.ts';
import { readVariables } from './read-variables.ts';
import type { Reading } from './reading.ts';

const suspendBounds = { least: '10s', most: '365d' };

/** The rules in the order of the file. Nodes that are not there are reported. */
export function readEnvironments(
  cursor: Cursor<readonly RawEnvironmentRule[]> | undefined,
  nodes: readonly TopologyNode[],
  reading: Reading,
): readonly EnvironmentRule[] {
  const byName = new Map(nodes.map((node) => [node.name as string, node]));
  return items(cursor).map((rule) => ({
    match: rule.value.match,
    data: rule.value.data,
    suspendAfterMs: readDuration(child(rule, 'suspend_after'), suspendBounds, reading.report),
    resources: ruleResources(rule, reading),
    instances: ruleInstances(rule, byName, reading),
    variables: readVariables(child(rule, 'variables'), reading.report),
  }));
}

function ruleResources(rule: Cursor<RawEnvironmentRule>, reading: Reading): Record<string, Partial<Resources>> {
  const resources: Record<string, Partial<Resources>> = {};
  for (const entry of entries(child(rule, 'resources'))) {
    checkNode(entry, reading);
    resources[entry.name] = readResources(entry, reading.report);
  }
  return resources;
}

function ruleInstances(
  rule: Cursor<RawEnvironmentRule>,
  nodes: ReadonlyMap<string, TopologyNode>,
  reading: Reading,
): Record<string, number> {
  const instances: Record<string, number> = {};
  for (const entry of entries(child(rule, 'instances'))) {
    checkNode(entry, reading);
    const node = nodes.get(entry.name);
    if (node?.kind === 'service' && entry.value > 1) {
      const message = `instances: ${entry.name} is a service, which has one instance`;
      reading.report.error({ code: 'invalid-value', at: valueAt(entry), message });
    }
    const held = node !== undefined && node.kind !== 'service' ? node.mounts.find((mount) => mount.exclusive) : undefined;
    if (held !== undefined && entry.value > 1) exclusiveError(held, entry.value, valueAt(entry), reading);
    instances[entry.name] = entry.value;
  }
  return instances;
}

function checkNode(entry: Cursor<unknown>, reading: Reading): void {
  if (reading.nodes.has(entry.name)) return;
  const hint = () => suggestion(entry.name, [...reading.nodes.keys()]);
  reading.report.error({ code: 'unknown-node', at: keyAt(entry), message: `environments: nothing is named ${quote(entry.name)}`, hint });
}

import type { Change, Plan, Reason } from './plan-value.ts';

/** A reason in a few words, without colours. */
export function describeReason(reason: Reason): string {
  switch (reason.kind) {
    case 'new':
      return 'new';
    case 'gone':
      return 'not in the release any more';
    case 'field':
      return `${reason.field} changed (${reason.from} → ${reason.to})`;
    case 'image':
      return `image changed (${reason.what} ${reason.from} → ${reason.to})`;
    case 'drift':
      return reason.detail;
    case 'instance-missing':
      return `${reason.running} of ${reason.wanted} ${reason.wanted === 1 ? 'instance' : 'instances'} running`;
    case 'instance-crashed':
      return reason.outOfMemory ? 'an instance ran out of memory' : `an instance ended with exit code ${reason.exitCode ?? 'unknown'}`;
    case 'instance-unready':
      return 'an instance does not answer any more';
    case 'suspended':
      return 'suspended';
    case 'environment-deleted':
      return 'the environment is deleted';
  }
}

/** A change in one line, e.g. `replace web  overlap  image changed (source tree 9851a01 → 41c2f00)`. */
export function describeChange(change: Change): string {
  const strategy = change.strategy === 'none' ? [] : [change.strategy];
  const reasons = change.reasons.length === 0 ? [] : [change.reasons.map(describeReason).join('; ')];
  return [`${change.action} ${change.node}`, ...strategy, ...reasons].join('  ');
}

/** The plan in lines: those of nodes that change, and how many are kept. */
export function describePlan(plan: Plan): readonly string[] {
  const changed = plan.changes.filter((change) => change.action !== 'keep');
  const kept = plan.changes.length - changed.length;
  const rest = kept === 0 ? [] : [`keep ${kept} ${kept === 1 ? 'node' : 'nodes'}`];
  return [...changed.map(describeChange), ...rest];
}

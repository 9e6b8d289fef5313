import type { Change, Plan, Reason, Step } from './plan-value.ts';

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
    case 'data':
      return 'its data is replaced';
    case 'moved':
      return `takes over the data of ${reason.from}`;
    case 'closed':
      return 'its data is not sanitised yet';
    case 'suspended':
      return 'suspended';
    case 'environment-deleted':
      return 'the environment is deleted';
  }
}

/** A change in one line, e.g. `replace web: image changed (source tree 9851a01 → 41c2f00) [overlap]`. */
export function describeChange(change: Change): string {
  const reasons = change.reasons.filter((reason) => reason.kind !== 'new').map(describeReason);
  const why = reasons.length === 0 ? '' : `: ${reasons.join('; ')}`;
  const how = spoken.has(change.strategy) ? ` [${change.strategy}]` : '';
  return `${change.action} ${change.node}${why}${how}`;
}

/** Strategies that the action does not tell already. */
const spoken: ReadonlySet<Change['strategy']> = new Set(['overlap', 'hold and switch', 'in-place']);

/** The plan in lines: those of nodes that change, and how many are kept. */
export function describePlan(plan: Plan): readonly string[] {
  const changed = plan.changes.filter((change) => change.action !== 'keep');
  const kept = plan.changes.length - changed.length;
  const data = plan.steps.flatMap(describeDataStep);
  const rest = kept === 0 ? [] : [`keep ${kept} ${kept === 1 ? 'node' : 'nodes'} untouched`];
  if (changed.length === 0 && plan.steps.length > 0) return [...data, 'keep every node; repair what is around them'];
  return changed.length === 0 ? ['nothing to change'] : [...data, ...changed.map(describeChange), ...rest];
}

/** What happens to the data as a whole; no node's change tells it. */
function describeDataStep(step: Step): readonly string[] {
  if (step.kind === 'switch-data') return [`put ${step.from} in the place of the data (generation ${step.generation})`];
  if (step.kind === 'move-volumes') return step.moves.map(({ from, to }) => `move the data of ${from} to ${to}`);
  return step.kind === 'run-job' && step.hook === 'sanitize' ? [`sanitise the data with ${step.node} before anything else starts`] : [];
}

export { dataChangeOf, keptMounts, mountedFolders, neededBy } from './data-change.ts';
export * from './describe-plan.ts';
export * from './diff-values.ts';
export { findCycle, type Graph, type Ordering, topologicalOrder } from './graph.ts';
export * from './make-plan.ts';
export * from './plan-input.ts';
export * from './plan-value.ts';
export * from './wanted-instances.ts';

export * from './environment-work.ts';
export * from './execute-plan.ts';
export * from './performer.ts';
export { probe } from './probe.ts';
export * from './simulated-crash.ts';
export { stepLimitMs } from './step-limit.ts';
export { stillWhile } from './still-while.ts';
export { within } from './within.ts';

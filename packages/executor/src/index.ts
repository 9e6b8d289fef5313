export * from './clock.ts';
export * from './create-performer.ts';
export * from './environment-context.ts';
export * from './execute-plan.ts';
export type { PerformerLimits } from './performer-parts.ts';
export * from './probe-once.ts';
export type { ProbeResult } from './probe-result.ts';
export { createProber, type Prober, type ReadinessWait } from './prober.ts';
export * from './simulated-crash.ts';

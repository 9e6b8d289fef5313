export type { HaproxyRouterOptions } from './haproxy-options.ts';
export { createHaproxyRouter } from './haproxy-router.ts';
export type { HoldLimits } from './hold-script.ts';
export * from './router.ts';
export { createSimulatedRouter, type SimulatedRouter } from './simulated-router.ts';

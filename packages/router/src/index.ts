export { createHaproxyRouter, type HaproxyRouterOptions } from './haproxy-router.ts';
export * from './router.ts';
export { createSimulatedRouter, type SimulatedRouter } from './simulated-router.ts';

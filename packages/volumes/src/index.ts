export * from './open-volumes.ts';
export * from './simulated-volumes.ts';
export * from './volumes.ts';

export * from './base-layers.ts';
export { baseKey, buildBase, defaultBaseDirectory, sweepBases } from './build-base.ts';

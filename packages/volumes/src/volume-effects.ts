import type { Volumes } from './volumes.ts';

/** Calls of Volumes that change what lies on disk. */
export const volumeEffects = [
  'ensure',
  'snapshot',
  'removeSnapshot',
  'replace',
  'setAside',
  'moveNode',
  'removeNode',
  'removeSet',
] as const satisfies readonly (keyof Volumes)[];

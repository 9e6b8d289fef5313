import type { Engine } from './engine.ts';

/** The methods of an engine that change the world, for those who injure it on purpose. */
export const engineEffects = [
  'ensureImage',
  'removeImages',
  'ensureNetwork',
  'removeNetwork',
  'applyPolicy',
  'startGeneration',
  'resizeGeneration',
  'stopGeneration',
  'removeInstances',
  'freeze',
  'thaw',
  'startJob',
  'removeJob',
] as const satisfies readonly (keyof Engine)[];

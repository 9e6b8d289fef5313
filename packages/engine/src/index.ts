export * from './docker/docker-engine.ts';
export * from './docker/docker-sandbox.ts';
export type { RegistryAccess } from './docker/images.ts';
export { engineSeesFolder, type FolderQuestion } from './docker/sees-folder.ts';
export * from './engine.ts';
export * from './engine-effects.ts';
export * from './sandbox.ts';
export type {
  BehaviourOf,
  ListingFault,
  OnEffect,
  SimulatedBehaviour,
  SimulatedEffect,
  SimulatedSight,
} from './simulated/simulated-behaviour.ts';
export { simulatedArgv } from './simulated/simulated-behaviour.ts';
export { createSimulatedEngine, type SimulatedEngine, type SimulatedEngineOptions } from './simulated/simulated-engine.ts';
export * from './simulated/simulated-sandbox.ts';

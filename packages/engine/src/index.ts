export * from './docker/docker-engine.ts';
export * from './docker/docker-sandbox.ts';
export type { RegistryAccess } from './docker/images.ts';
export * from './engine.ts';
export * from './sandbox.ts';

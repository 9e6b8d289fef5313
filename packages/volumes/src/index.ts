export type { FileSystemSpace } from './btrfs-space.ts';
export type { Growth, GrowthPolicy } from './growth.ts';
export type { MissingPart } from './missing-parts.ts';
export * from './open-volume-file-system.ts';
export * from './open-volumes.ts';
export * from './simulated-volumes.ts';
export * from './take-down-volume-file-system.ts';
export * from './volume-file-system.ts';
export * from './volumes.ts';

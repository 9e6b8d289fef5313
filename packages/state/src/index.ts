export * from './clock.ts';
export * from './open-store.ts';
export * from './store.ts';

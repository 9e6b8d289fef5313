export * from './engine.ts';
export * from './sandbox.ts';

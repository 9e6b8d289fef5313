export * from './receiver.ts';
export * from './repository.ts';

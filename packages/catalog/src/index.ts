export * from './catalog.ts';
export * from './catalog-type.ts';

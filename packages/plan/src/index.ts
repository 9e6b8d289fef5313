export * from './plan-value.ts';

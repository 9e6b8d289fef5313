export * from './control-plane.ts';
export * from './create-control-plane.ts';
export * from './ports.ts';

export * from './bounded-ask.ts';
export * from './control-plane.ts';
export * from './create-control-plane.ts';
export * from './data/configured-retention.ts';
export * from './data-commands.ts';
export * from './measurement.ts';
export * from './ports.ts';

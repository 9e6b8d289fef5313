export type { ConfigurationFile } from './checked-text.ts';
export { nextTimeOf } from './cron-spec.ts';
export { type DiagnosticCode, diagnosticCodes } from './diagnostic-codes.ts';
export { limits } from './limits.ts';
export { minimalExample } from './minimal-example.ts';
export { type Configuration, type ConfigurationInput, readConfiguration } from './read-configuration.ts';
export { configurationSchema } from './shape-validator.ts';
export { showConfiguration } from './show-configuration.ts';

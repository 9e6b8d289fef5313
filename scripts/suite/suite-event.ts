/** One test or suite that ended, as the reporter hands it over. Children come before their parent. */
export interface SuiteEvent {
  readonly name: string;
  /** 0 at the top of the file. */
  readonly nesting: number;
  readonly kind: 'test' | 'suite';
  readonly result: 'passed' | 'failed' | 'skipped';
  readonly durationMs: number;
  /** Node's word for what failed, e.g. `subtestsFailed`, `hookFailed`. */
  readonly failureType: string | undefined;
  readonly error: string | undefined;
}

/** The line after the events of a file that came to its end. */
export const endOfEvents = '"end"';

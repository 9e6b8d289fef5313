import { inspect } from 'node:util';
import { endOfEvents, type SuiteEvent } from './suite-event.ts';

interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name: string;
    readonly nesting: number;
    readonly skip?: string | boolean;
    readonly todo?: string | boolean;
    readonly details?: {
      readonly type?: string;
      readonly duration_ms?: number;
      readonly error?: Error & { readonly failureType?: string; readonly cause?: unknown };
    };
  };
}

const maxErrorLength = 8_000;

/** A reporter for `node --test-reporter`: one JSON line per test that ended, and a last line once all have. */
async function* eventReporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of source) {
    if (type === 'test:summary') yield `${endOfEvents}\n`;
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const event: SuiteEvent = {
      name: data.name,
      nesting: data.nesting,
      kind: data.details?.type === 'suite' ? 'suite' : 'test',
      result: isSet(data.skip) || isSet(data.todo) ? 'skipped' : type === 'test:pass' ? 'passed' : 'failed',
      durationMs: data.details?.duration_ms ?? 0,
      failureType: data.details?.error?.failureType,
      error: describe(data.details?.error),
    };
    yield `${JSON.stringify(event)}\n`;
  }
}

function isSet(mark: string | boolean | undefined): boolean {
  return mark !== undefined && mark !== false;
}

function describe(error: (Error & { readonly cause?: unknown }) | undefined): string | undefined {
  return error === undefined ? undefined : inspect(error.cause ?? error, { depth: 6, colors: false }).slice(0, maxErrorLength);
}

// Node loads a reporter by its default export, and by nothing else.
export { eventReporter as default };

import { CoppiceError } from '@coppice/model';
import type { BuildLimits } from './build-limits.ts';

type Configurable = Exclude<keyof BuildLimits, 'cpu' | 'cacheBytes'>;

interface LimitVariable {
  readonly name: string;
  /** What one of each unit counts; a number without one is not read where there are units. */
  readonly units: Readonly<Record<string, number>>;
  readonly example: string;
}

const durations = { s: 1000, m: 60_000, h: 3_600_000 };
const sizes = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
const counts = { '': 1 };

/** The variables of the server's environment that set what one build may use. */
export const limitVariables: Readonly<Record<Configurable, LimitVariable>> = {
  timeMs: { name: 'COPPICE_BUILD_TIMEOUT', units: durations, example: '10m' },
  memoryBytes: { name: 'COPPICE_BUILD_MEMORY', units: sizes, example: '2G' },
  diskBytes: { name: 'COPPICE_BUILD_DISK', units: sizes, example: '4G' },
  processes: { name: 'COPPICE_BUILD_PROCESSES', units: counts, example: '512' },
  outputBytes: { name: 'COPPICE_BUILD_OUTPUT', units: sizes, example: '64M' },
  concurrency: { name: 'COPPICE_BUILD_CONCURRENCY', units: counts, example: '2' },
};

/** The limits that an environment sets; those it does not are missing. Throws `invalid-request` for what is no positive amount. */
export function configuredLimits(environment: Readonly<Record<string, string | undefined>>): Partial<BuildLimits> {
  const set = Object.entries(limitVariables).flatMap(([limit, variable]) => {
    const text = environment[variable.name];
    return text === undefined || text === '' ? [] : [[limit, amountOf(text, variable)] as const];
  });
  return Object.fromEntries(set);
}

function amountOf(text: string, { name, units, example }: LimitVariable): number {
  const [, digits, unit = ''] = /^([1-9]\d{0,8})([a-zA-Z]?)$/.exec(text) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (digits !== undefined && factor !== undefined) return Number(digits) * factor;
  throw new CoppiceError('invalid-request', `${name} is "${text}", which is no amount`, { hint: `write it like ${example}` });
}

/** What whoever met a limit is told to do. */
export const limitHint: string = `make the step cheaper, or have the limit raised: ${Object.entries(limitVariables)
  .filter(([limit]) => limit !== 'concurrency')
  .map(([, variable]) => variable.name)
  .join(', ')
  .replace(/, ([^,]+)$/, ' or $1')} of the server`;

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly names: readonly string[];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const fields: readonly Field[] = [
  { name: 'minute', least: 0, most: 59, names: [] },
  { name: 'hour', least: 0, most: 23, names: [] },
  { name: 'day of month', least: 1, most: 31, names: [] },
  { name: 'month', least: 1, most: 12, names: months },
  { name: 'day of week', least: 0, most: 7, names: days },
];

/** Why a schedule of five fields cannot be read, or undefined where it can. `H` stands for a value that the platform chooses. */
export function cronSpecProblem(spec: string): string | undefined {
  const parts = spec.trim().split(/\s+/);
  if (parts.length !== fields.length) {
    return `there are ${parts.length} fields; write five: minute, hour, day of month, month, day of week`;
  }
  for (const [index, field] of fields.entries()) {
    for (const range of (parts[index] ?? '').split(',')) {
      if (!isRange(range, field))
        return `the ${field.name} ${JSON.stringify(range.slice(0, 30))} is not within ${field.least} to ${field.most}`;
    }
  }
  return undefined;
}

function isRange(text: string, field: Field): boolean {
  const [range = '', step, ...rest] = text.split('/');
  if (rest.length > 0 || (step !== undefined && !isStep(step, field))) return false;
  if (range === '*') return true;
  const hashed = /^H(?:\(([0-9]{1,2})-([0-9]{1,2})\))?$/.exec(range);
  if (hashed !== null) return hashed[1] === undefined || isOrdered(fieldValue(hashed[1], field), fieldValue(hashed[2] ?? '', field));
  const [from = '', to, ...more] = range.split('-');
  if (more.length > 0) return false;
  const start = fieldValue(from, field);
  return to === undefined ? start !== undefined && step === undefined : isOrdered(start, fieldValue(to, field));
}

function isStep(text: string, field: Field): boolean {
  return /^[0-9]{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= field.most;
}

function isOrdered(from: number | undefined, to: number | undefined): boolean {
  return from !== undefined && to !== undefined && from <= to;
}

function fieldValue(text: string, field: Field): number | undefined {
  const named = field.names.indexOf(text.toLowerCase());
  if (named !== -1) return named + field.least;
  if (!/^[0-9]{1,2}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= field.least && value <= field.most ? value : undefined;
}

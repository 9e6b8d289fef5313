import { sha256 } from '@coppice/model';

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** The last value that every hour, month or week has. */
  readonly common: number;
  readonly names: readonly string[];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const fields: readonly Field[] = [
  { name: 'minute', least: 0, most: 59, common: 59, names: [] },
  { name: 'hour', least: 0, most: 23, common: 23, names: [] },
  { name: 'day of month', least: 1, most: 31, common: 28, names: [] },
  { name: 'month', least: 1, most: 12, common: 12, names: months },
  { name: 'day of week', least: 0, most: 7, common: 6, names: days },
];
const daysOfMonths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const dayMs = 86_400_000;
/** No schedule that comes at all lets one wait longer: the 29th of February on one day of the week, over a year such as 2100. */
const mostDays = 41 * 366;

/** Values of each field, in order and without repetition; Sunday is 0. */
interface Times {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: readonly number[];
  readonly months: readonly number[];
  readonly weekdays: readonly number[];
  /** Day of month and of week are both limited: either is enough. */
  readonly eitherDay: boolean;
}

/** A value from `least` to `most` for what a schedule leaves to the platform. */
type Choose = (field: Field, least: number, most: number) => number;

/** Why a schedule of five fields cannot be read or never comes, or undefined where it does. `H` stands for a value that the platform chooses. */
export function cronSpecProblem(spec: string): string | undefined {
  const times = readTimes(spec, (_field, _least, most) => most);
  if (typeof times === 'string') return times;
  return comes(times) ? undefined : 'it never comes: none of its months has such a day';
}

/**
 * The first time of a schedule after a moment, in UTC and to the minute; undefined where it is none or never comes. Where day of month and
 * of week are both limited either is enough, as cron has it. `seed`: what `H` is chosen by, so that not all projects do the same at once.
 */
export function nextTimeOf(spec: string, { after, seed }: { readonly after: Date; readonly seed: string }): Date | undefined {
  const times = readTimes(spec, chosenBy(seed));
  if (typeof times === 'string' || !comes(times)) return undefined;
  const first = (Math.floor(after.getTime() / 60_000) + 1) * 60_000;
  const midnight = Math.floor(first / dayMs) * dayMs;
  for (let day = 0; day < mostDays; day += 1) {
    const start = midnight + day * dayMs;
    const found = isOn(times, new Date(start)) ? timeOfDay(times, Math.max(0, first - start)) : undefined;
    if (found !== undefined) return new Date(start + found);
  }
  return undefined;
}

function chosenBy(seed: string): Choose {
  return ({ name }, least, most) => least + (Number.parseInt(sha256(`${name} ${seed}`).slice(7, 15), 16) % (most - least + 1));
}

function comes(times: Times): boolean {
  return times.eitherDay || times.months.some((month) => times.days.some((day) => day <= (daysOfMonths[month - 1] ?? 0)));
}

function isOn({ months, days, weekdays, eitherDay }: Times, date: Date): boolean {
  if (!months.includes(date.getUTCMonth() + 1)) return false;
  const [isDay, isWeekday] = [days.includes(date.getUTCDate()), weekdays.includes(date.getUTCDay())];
  return eitherDay ? isDay || isWeekday : isDay && isWeekday;
}

/** Milliseconds since midnight. */
function timeOfDay({ hours, minutes }: Times, leastMs: number): number | undefined {
  for (const hour of hours) {
    const minute = minutes.find((each) => (hour * 60 + each) * 60_000 >= leastMs);
    if (minute !== undefined) return (hour * 60 + minute) * 60_000;
  }
  return undefined;
}

/** Or why it cannot be read. */
function readTimes(spec: string, choose: Choose): Times | string {
  const parts = spec.trim().split(/\s+/);
  if (parts.length !== fields.length) {
    return `there are ${parts.length} fields; write five: minute, hour, day of month, month, day of week`;
  }
  const values: (readonly number[])[] = [];
  for (const [index, field] of fields.entries()) {
    const found = new Set<number>();
    for (const range of (parts[index] ?? '').split(',')) {
      const inRange = valuesOf(range, field, choose);
      if (inRange === undefined)
        return `the ${field.name} ${JSON.stringify(range.slice(0, 30))} is not within ${field.least} to ${field.most}`;
      for (const value of inRange) found.add(field.name === 'day of week' ? value % 7 : value);
    }
    values.push([...found].sort((a, b) => a - b));
  }
  const [minutes = [], hours = [], daysOfMonth = [], monthsOfYear = [], weekdays = []] = values;
  const isLimited = (index: number): boolean => !parts[index]?.startsWith('*');
  return { minutes, hours, days: daysOfMonth, months: monthsOfYear, weekdays, eitherDay: isLimited(2) && isLimited(4) };
}

function valuesOf(text: string, field: Field, choose: Choose): readonly number[] | undefined {
  const [range = '', step, ...rest] = text.split('/');
  if (rest.length > 0 || (step !== undefined && !isStep(step, field))) return undefined;
  if (range === '*') return stepped(field.least, field.most, Number(step ?? 1));
  const hashed = /^H(?:\(([0-9]{1,2})-([0-9]{1,2})\))?$/.exec(range);
  if (hashed !== null) return chosen(hashed, step, field, choose);
  const [from = '', to, ...more] = range.split('-');
  if (more.length > 0) return undefined;
  const start = fieldValue(from, field);
  const end = to === undefined ? start : fieldValue(to, field);
  if (to === undefined && step !== undefined) return undefined;
  return start !== undefined && end !== undefined && start <= end ? stepped(start, end, Number(step ?? 1)) : undefined;
}

/** One value of the range, or with a step a series that begins anywhere within the first. */
function chosen([, from, to]: RegExpExecArray, step: string | undefined, field: Field, choose: Choose): readonly number[] | undefined {
  const least = from === undefined ? field.least : fieldValue(from, field);
  const most = to === undefined ? (step === undefined ? field.common : field.most) : fieldValue(to, field);
  if (least === undefined || most === undefined || least > most) return undefined;
  if (step === undefined) return [choose(field, least, most)];
  return stepped(choose(field, least, Math.min(least + Number(step) - 1, most)), most, Number(step));
}

function stepped(from: number, to: number, step: number): readonly number[] {
  const values: number[] = [];
  for (let value = from; value <= to; value += step) values.push(value);
  return values;
}

function isStep(text: string, field: Field): boolean {
  return /^[0-9]{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= field.most;
}

function fieldValue(text: string, field: Field): number | undefined {
  const named = field.names.indexOf(text.toLowerCase());
  if (named !== -1) return named + field.least;
  if (!/^[0-9]{1,2}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= field.least && value <= field.most ? value : undefined;
}

import { CoppiceError } from '@coppice/model';

/** What a parameter of a path or query may be: what is checked and what the OpenAPI document says are both made from it. */
export type Parameter = { readonly means: string; readonly required?: true } & (
  | { readonly kind: 'text' }
  /** `true` or `false`. */
  | { readonly kind: 'flag' }
  | { readonly kind: 'choice'; readonly values: readonly string[] }
  /** A whole number; both ends are allowed. */
  | { readonly kind: 'count'; readonly least: number; readonly most: number }
  /** Such as `b_…`, where `prefix` is `b`. */
  | { readonly kind: 'id'; readonly prefix: string }
  /** Of RFC 3339. */
  | { readonly kind: 'time' }
);

/** Throws `invalid-request` with what is allowed where `given` is not that. A missing value is undefined, a repeated one an array. */
export function checkParameter(name: string, parameter: Parameter, given: unknown): void {
  if (given === undefined && parameter.required !== true) return;
  if (given === undefined) throw new CoppiceError('invalid-request', `${name} is missing: ${parameter.means}`);
  if (typeof given !== 'string') throw new CoppiceError('invalid-request', `${name} is given more than once`);
  if (!fits(parameter, given)) throw new CoppiceError('invalid-request', `${name} is ${allowed(parameter)}, not ${JSON.stringify(given)}`);
}

/** JSON Schema of a parameter. */
export function parameterSchema(parameter: Parameter): object {
  switch (parameter.kind) {
    case 'text':
      return { type: 'string' };
    case 'flag':
      return { type: 'boolean' };
    case 'choice':
      return { type: 'string', enum: parameter.values };
    case 'count':
      return { type: 'integer', minimum: parameter.least, maximum: parameter.most };
    case 'id':
      return { type: 'string', pattern: idPattern(parameter.prefix) };
    case 'time':
      return { type: 'string', format: 'date-time' };
  }
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/i;

function idPattern(prefix: string): string {
  return `^${prefix}_[a-z0-9]{1,64}$`;
}

function fits(parameter: Parameter, given: string): boolean {
  switch (parameter.kind) {
    case 'text':
      return true;
    case 'flag':
      return given === 'true' || given === 'false';
    case 'choice':
      return parameter.values.includes(given);
    case 'count':
      return /^\d{1,15}$/.test(given) && Number(given) >= parameter.least && Number(given) <= parameter.most;
    case 'id':
      return new RegExp(idPattern(parameter.prefix)).test(given);
    case 'time':
      return rfc3339.test(given) && !Number.isNaN(Date.parse(given));
  }
}

function allowed(parameter: Parameter): string {
  switch (parameter.kind) {
    case 'text':
      return 'text';
    case 'flag':
      return 'true or false';
    case 'choice':
      return `${parameter.values.slice(0, -1).join(', ')} or ${parameter.values.at(-1)}`;
    case 'count':
      return `a whole number from ${parameter.least} to ${parameter.most}`;
    case 'id':
      return `an id such as ${parameter.prefix}_k7mq2x`;
    case 'time':
      return 'a time such as 2026-03-01T12:00:00Z';
  }
}

import { suggestion } from './nearest-name.ts';
import { type Place, placeAt, pointerSegments } from './place.ts';
import { listed, quote } from './quote.ts';
import type { Finding, Report } from './report.ts';
import type { ShapeError } from './shape-validator.ts';

/** What each JSON type is called in messages. */
const typeWords: Readonly<Record<string, string>> = {
  object: 'a map',
  array: 'a list',
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  null: 'nothing',
};

/** Keywords that only say that a part of them failed; the part itself is reported. */
const silent: ReadonlySet<string> = new Set(['if', 'propertyNames']);

/** Says what the schema objects to in words for people, at the place in the file; remarks go to the inactive keys. */
export function complainOfShape(error: ShapeError, root: Place, report: Report): void {
  if (silent.has(error.keyword) || isWithinChoice(error)) return;
  const path = pointerSegments(error.instancePath);
  if (error.keyword === 'notYet') {
    remarkInactive(error, path, root, report);
    return;
  }
  report.error(findingOf(error, path, placeAt(root, path)));
}

/** The parts of an `anyOf` fail in their own right; only the choice itself is reported. */
function isWithinChoice(error: ShapeError): boolean {
  return /\/anyOf\/\d+\//.test(error.schemaPath);
}

function remarkInactive(error: ShapeError, path: readonly string[], root: Place, report: Report): void {
  if (typeof error.data === 'object' && error.data !== null && Object.keys(error.data).length === 0) return;
  const node = nodeOf(path);
  const text = String(error.schema).replace('{node}', () => node);
  report.inactive(placeAt(root, path).key, text);
}

/** The node that a path leads into: `applications.web.crons` is of web, `…workers.queue.disk` of web--queue. */
function nodeOf(path: readonly string[]): string {
  const [section, name, inner, worker] = path;
  if (section === 'environments') return path[3] ?? 'environments';
  return section === 'applications' && inner === 'workers' && worker !== undefined ? `${name}--${worker}` : (name ?? 'the file');
}

function findingOf(error: ShapeError, path: readonly string[], place: Place): Finding {
  const label = labelOf(path);
  const advice = error.parentSchema?.['errorMessage'];
  const hint = typeof advice === 'string' ? advice : undefined;
  if (error.propertyName !== undefined) return nameFinding(error, label, place, hint);
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey(error, label, place);
    case 'required':
      return {
        code: 'missing-key',
        at: place.key,
        message: `${label}${quote(String(error.params['missingProperty']))} is missing`,
      };
    case 'anyOf':
      return { code: 'missing-key', at: place.key, message: `${label}${hint ?? 'something is missing'}` };
    case 'type':
      return { code: 'wrong-type', at: place.value, message: `${label}${typeMessage(error)}`, hint };
    case 'enum':
      return enumFinding(error, label, place);
    default:
      return limitFinding(error, label, place, hint);
  }
}

function nameFinding(error: ShapeError, label: string, place: Place, hint: string | undefined): Finding {
  const name = String(error.propertyName);
  const at = place.children.get(name)?.key ?? place.key;
  if (error.keyword === 'maxLength') {
    return {
      code: 'invalid-value',
      at,
      message: `${label}the name ${quote(name)} is longer than ${String(error.params['limit'])} characters`,
    };
  }
  return { code: 'invalid-value', at, message: `${label}${quote(name)} is no name for this`, hint };
}

function unknownKey(error: ShapeError, label: string, place: Place): Finding {
  const key = String(error.params['additionalProperty']);
  const known = Object.keys((error.parentSchema?.['properties'] ?? {}) as Record<string, unknown>);
  return {
    code: 'unknown-key',
    at: place.children.get(key)?.key ?? place.key,
    message: `${label}unknown key ${quote(key)}`,
    hint: () => suggestion(key, known),
  };
}

function typeMessage(error: ShapeError): string {
  const wanted = error.params['type'];
  const types = (Array.isArray(wanted) ? wanted : [wanted]).map(String).filter((type) => type !== 'null');
  return `this must be ${listed(types.map((type) => typeWords[type] ?? type))}, not ${shown(error.data)}`;
}

function enumFinding(error: ShapeError, label: string, place: Place): Finding {
  const allowed = (error.params['allowedValues'] as readonly unknown[]).map(String);
  const data = error.data;
  return {
    code: 'invalid-value',
    at: place.value,
    message: `${label}${shown(data)} is not one of ${listed(allowed)}`,
    hint: () => {
      const guess = typeof data === 'string' ? suggestion(data, allowed) : '';
      return guess.startsWith('did') ? guess : `write ${listed(allowed)}`;
    },
  };
}

function limitFinding(error: ShapeError, label: string, place: Place, hint: string | undefined): Finding {
  const limit = String(error.params['limit']);
  const at = place.value;
  switch (error.keyword) {
    case 'minimum':
      return { code: 'invalid-value', at, message: `${label}${shown(error.data)} is less than ${limit}, the least` };
    case 'maximum':
      return { code: 'invalid-value', at, message: `${label}${shown(error.data)} is more than ${limit}, the most` };
    case 'minLength':
      return { code: 'invalid-value', at, message: `${label}this may not be empty`, hint };
    case 'maxLength':
      return { code: 'invalid-value', at, message: `${label}the text is longer than ${limit} characters`, hint };
    case 'minItems':
      return { code: 'too-many', at, message: `${label}there are fewer than ${limit} entries` };
    case 'maxItems':
      return { code: 'too-many', at, message: `${label}there are more than ${limit} entries` };
    case 'uniqueItems':
      return { code: 'declared-twice', at, message: `${label}an entry stands here twice` };
    default:
      return { code: 'invalid-value', at, message: `${label}${shown(error.data)} is not allowed here`, hint };
  }
}

function shown(data: unknown): string {
  if (typeof data === 'string') return quote(data);
  if (typeof data === 'number' || typeof data === 'boolean') return String(data);
  if (data === null || data === undefined) return 'nothing';
  return Array.isArray(data) ? 'a list' : 'a map';
}

/** `web: ` for what stands in `applications.web`: the last name of the path; nothing at the top. */
function labelOf(path: readonly string[]): string {
  const named = path.filter((segment) => !/^[0-9]+$/.test(segment));
  const last = named.at(-1);
  return last === undefined ? '' : `${plainName(last)}: `;
}

/** A name as it is where it is harmless and short, in quotes else. */
export function plainName(name: string): string {
  return /^[\w.{}():/*-]{1,60}$/.test(name) ? name : quote(name);
}

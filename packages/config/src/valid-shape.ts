import type { Cursor } from './cursor.ts';
import type { LocatedData } from './document-data.ts';
import { pointerSegments } from './place.ts';
import { prunedData } from './pruned-data.ts';
import type { RawFile } from './raw-file.ts';
import type { Report } from './report.ts';
import { complainOfShape } from './shape-complaint.ts';
import { type ShapeError, shapeErrors } from './shape-validator.ts';

/** Cutting a value can make the map around it incomplete, and so on; the shape is not deeper than this. */
const rounds = 8;

/**
 * Compares the data with the schema, reports everything it objects to, and gives what is left without those parts, so that the
 * checks after this one can still speak about the rest. Undefined where nothing sound is left.
 */
export function validShape(located: LocatedData, report: Report): Cursor<RawFile> | undefined {
  let sound = located;
  for (let round = 0; round < rounds; round += 1) {
    const errors = shapeErrors(sound.data);
    if (round === 0) for (const error of firstOfEach(errors)) complainOfShape(error, sound.place, report);
    const cuts = errors.flatMap(cutOf);
    if (cuts.length === 0) return { name: '', value: sound.data as RawFile, place: sound.place };
    sound = prunedData(sound, cuts);
  }
  return undefined;
}

/** Keywords that speak of a map's keys: a map may have several of them. The others speak of the value itself. */
const aboutKeys: ReadonlySet<string> = new Set(['additionalProperties', 'required', 'anyOf', 'notYet', 'if', 'propertyNames']);

/** One complaint per value: that a text is too long says nothing more where it is no duration at all. */
function firstOfEach(errors: readonly ShapeError[]): ShapeError[] {
  const told = new Set<string>();
  return errors.filter((error) => {
    if (aboutKeys.has(error.keyword)) return true;
    const value = JSON.stringify([error.instancePath, error.propertyName]);
    if (told.has(value)) return false;
    told.add(value);
    return true;
  });
}

/** Which value to leave out because of an error; none where the raw file allows what is missing. */
function cutOf(error: ShapeError): readonly (readonly string[])[] {
  const isChoice = error.keyword === 'anyOf' || /\/anyOf\/\d+\//.test(error.schemaPath);
  if (isChoice || error.keyword === 'notYet' || error.keyword === 'if' || error.keyword === 'propertyNames') return [];
  const path = pointerSegments(error.instancePath);
  if (error.propertyName !== undefined) return [[...path, error.propertyName]];
  if (error.keyword === 'additionalProperties') return [[...path, String(error.params['additionalProperty'])]];
  return [path];
}

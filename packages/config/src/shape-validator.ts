import { type AnySchemaObject, type ErrorObject, Ajv2020 as JsonSchema } from 'ajv/dist/2020.js';
import schema from '../../../schemas/coppice.schema.json' with { type: 'json' };

/** What the schema objects to, with the value and the schema that it was compared with. */
export type ShapeError = ErrorObject<string, Record<string, unknown>>;

/** The published schema of the file, for editors and tools. */
export const configurationSchema: AnySchemaObject = schema;

let compiled: ((data: unknown) => readonly ShapeError[]) | undefined;

/**
 * Everything the schema objects to. Keys marked `notYet` give an error of that keyword: a remark, no failure. Compiled once,
 * when it is first asked.
 */
export function shapeErrors(data: unknown): readonly ShapeError[] {
  compiled ??= compile();
  return compiled(data);
}

function compile(): (data: unknown) => readonly ShapeError[] {
  const ajv = new JsonSchema({
    strict: true,
    allErrors: true,
    verbose: true,
    ownProperties: true,
    allowUnionTypes: true,
    $data: false,
    validateFormats: false,
    addUsedSchema: false,
  });
  ajv.addVocabulary(['errorMessage']);
  ajv.addKeyword({ keyword: 'notYet', schemaType: 'string', validate: () => false });
  const validate = ajv.compile(schema);
  return (data) => (validate(data) ? [] : ((validate.errors ?? []) as ShapeError[]));
}

import { CoppiceError } from '@coppice/model';
import type { FastifySchemaValidationError } from 'fastify/types/schema.js';

/** What is wrong with a body that does not fit its schema, by the name of the field. */
export function bodyFailure(errors: readonly FastifySchemaValidationError[]): CoppiceError {
  const [first] = errors;
  return new CoppiceError('invalid-request', first ? describe(first) : 'the body has another form', {
    hint: 'the fields of each operation stand in /v1/openapi.json',
  });
}

function describe({ keyword, instancePath, params, message = 'has another form' }: FastifySchemaValidationError): string {
  const field = instancePath.slice(1);
  if (keyword === 'additionalProperties')
    return `the body has a field ${JSON.stringify(params['additionalProperty'])}, which is not known here`;
  if (keyword === 'required') return `the body lacks the field ${JSON.stringify(params['missingProperty'])}`;
  return field === '' ? `the body ${message}` : `the field ${JSON.stringify(field)} ${message}`;
}

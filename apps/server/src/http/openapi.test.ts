import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpoints } from './endpoints.ts';
import { openApi } from './openapi.ts';

const responses = (status: number): object => ({
  [status]: { description: 'Done, or begun where an activity is answered' },
  default: { description: 'A problem, see docs/reference/errors.md', content: { 'application/problem+json': {} } },
});

test('operations of one path stand together, with parameters, body and answers', () => {
  const body = { type: 'object', properties: { name: { type: 'string' } } };
  const document = openApi(
    [
      {
        method: 'GET',
        path: '/things/:thing/:about/:id',
        summary: 'One thing',
        params: { about: { kind: 'choice', values: ['a', 'b'], means: 'which' }, id: { kind: 'id', prefix: 'b', means: 'the id' } },
        query: {
          text: { kind: 'text', means: 'a text', required: true },
          flag: { kind: 'flag', means: 'a flag' },
          count: { kind: 'count', least: 1, most: 9, means: 'a count' },
          time: { kind: 'time', means: 'a time' },
        },
        handle: () => undefined,
      },
      { method: 'POST', path: '/things/:thing/:about/:id', summary: 'Change it', body, status: 202, handle: () => undefined },
    ],
    '1.2.3',
  );
  const thing = { name: 'thing', in: 'path', required: true, schema: { type: 'string' } };
  const about = { name: 'about', in: 'path', required: true };
  const id = { name: 'id', in: 'path', required: true };
  assert.deepEqual(document, {
    openapi: '3.1.0',
    info: { title: 'Coppice', version: '1.2.3' },
    security: [{ token: [] }],
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    paths: {
      '/v1/things/{thing}/{about}/{id}': {
        get: {
          summary: 'One thing',
          parameters: [
            thing,
            { ...about, description: 'which', schema: { type: 'string', enum: ['a', 'b'] } },
            { ...id, description: 'the id', schema: { type: 'string', pattern: '^b_[a-z0-9]{1,64}$' } },
            { name: 'text', in: 'query', description: 'a text', required: true, schema: { type: 'string' } },
            { name: 'flag', in: 'query', description: 'a flag', schema: { type: 'boolean' } },
            { name: 'count', in: 'query', description: 'a count', schema: { type: 'integer', minimum: 1, maximum: 9 } },
            { name: 'time', in: 'query', description: 'a time', schema: { type: 'string', format: 'date-time' } },
          ],
          responses: responses(200),
        },
        post: {
          summary: 'Change it',
          parameters: [thing, { ...about, schema: { type: 'string' } }, { ...id, schema: { type: 'string' } }],
          requestBody: { content: { 'application/json': { schema: body } } },
          responses: responses(202),
        },
      },
    },
  });
});

test('parameters that an endpoint describes are those of its path', () => {
  const strangers = endpoints.flatMap(({ path, params = {} }) =>
    Object.keys(params).filter((name) => !path.split('/').includes(`:${name}`)),
  );
  assert.deepEqual(strangers, []);
});

test('each body says its fields and takes no others', () => {
  const open = endpoints.filter(({ body }) => body && !('additionalProperties' in body && body.additionalProperties === false));
  assert.deepEqual(
    open.map(({ path }) => path),
    [],
  );
});

test('no two endpoints are one operation', () => {
  const operations = endpoints.map(({ method, path }) => `${method} ${path.replace(/:\w+/g, ':')}`);
  assert.deepEqual(operations, [...new Set(operations)]);
});

import type { Endpoint } from './endpoint.ts';
import { type Parameter, parameterSchema } from './parameter.ts';

/** The OpenAPI 3.1 document of the API, made from its endpoints. */
export function openApi(endpoints: readonly Endpoint[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const endpoint of endpoints) {
    const path = `/v1${endpoint.path.replace(/:(\w+)/g, '{$1}')}`;
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operation(endpoint) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Coppice', version },
    security: [{ token: [] }],
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    paths,
  };
}

function operation(endpoint: Endpoint): object {
  const inPath = [...endpoint.path.matchAll(/:(\w+)/g)].map(([, name = '']) => pathParameter(name, endpoint.params?.[name]));
  const inQuery = Object.entries(endpoint.query ?? {}).map(([name, parameter]) => ({
    name,
    in: 'query',
    description: parameter.means,
    ...(parameter.required === true ? { required: true } : {}),
    schema: parameterSchema(parameter),
  }));
  return {
    summary: endpoint.summary,
    parameters: [...inPath, ...inQuery],
    ...(endpoint.body ? { requestBody: { content: { 'application/json': { schema: endpoint.body } } } } : {}),
    responses: {
      [endpoint.status ?? 200]: { description: 'Done, or begun where an activity is answered' },
      default: { description: 'A problem, see docs/reference/errors.md', content: { 'application/problem+json': {} } },
    },
  };
}

function pathParameter(name: string, parameter: Parameter | undefined): object {
  const described = parameter ? { description: parameter.means, schema: parameterSchema(parameter) } : { schema: { type: 'string' } };
  return { name, in: 'path', required: true, ...described };
}

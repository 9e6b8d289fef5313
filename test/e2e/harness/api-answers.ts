import assert from 'node:assert/strict';
import type { TestServer } from '../harness.ts';

interface OpenApi {
  readonly paths: Readonly<Record<string, { readonly get?: object }>>;
}

/** What to ask for: values by the name of a parameter, and queries by the path that needs them. */
export interface Questions {
  readonly parameters: Readonly<Record<string, readonly string[]>>;
  readonly queries: Readonly<Record<string, readonly string[]>>;
  /** Paths whose answers never end. */
  readonly endless: readonly string[];
}

/** The answers of every GET operation that the API describes, for every value of its parameters, by what was asked. All must succeed. */
export async function apiAnswers(server: TestServer, questions: Questions): Promise<Readonly<Record<string, string>>> {
  const openApi = await (await server.api('/v1/openapi.json')).text();
  const described = JSON.parse(openApi) as OpenApi;
  const answers: Record<string, string> = { '/v1/openapi.json': openApi };
  for (const [template, operations] of Object.entries(described.paths)) {
    if (!operations.get || questions.endless.includes(template)) continue;
    for (const path of filled(template, questions.parameters)) {
      for (const query of questions.queries[template] ?? ['']) {
        const answer = await server.api(`${path}${query}`);
        const text = await answer.text();
        assert.equal(answer.status, 200, `${path}${query}: ${text}`);
        answers[`${path}${query}`] = text;
      }
    }
  }
  return answers;
}

/** The path with each combination of values. */
function filled(template: string, parameters: Questions['parameters']): readonly string[] {
  const name = /\{(\w+)\}/.exec(template)?.[1];
  if (name === undefined) return [template];
  const values = parameters[name];
  assert.ok(values, `no value is known for ${name} of ${template}`);
  return values.flatMap((value) => filled(template.replace(`{${name}}`, encodeURIComponent(value)), parameters));
}

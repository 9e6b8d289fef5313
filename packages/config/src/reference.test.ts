import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { formatDiagnostic } from '@coppice/model';
import { diagnosticCodes } from './diagnostic-codes.ts';
import { minimalExample } from './minimal-example.ts';
import { configurationSchema } from './shape-validator.ts';

type Part = Readonly<Record<string, unknown>>;

const page = readFileSync(new URL('../../../docs/reference/configuration.md', import.meta.url), 'utf8');
const errors = readFileSync(new URL('../../../docs/reference/errors.md', import.meta.url), 'utf8');
const definitions = configurationSchema['$defs'] as Readonly<Record<string, Part>>;

/** Which definition each section of the page describes. */
const sections: Readonly<Record<string, Part>> = {
  'Top level': configurationSchema,
  Application: definition('application'),
  Commands: definition('commands'),
  Relationships: definition('relationships')['additionalProperties'] as Part,
  Mounts: definition('mounts')['additionalProperties'] as Part,
  Resources: definition('resources'),
  Variables: definition('variables'),
  'Health check': definition('healthcheck'),
  Firewall: definition('firewall'),
  Worker: definition('worker'),
  Cron: definition('cron'),
  Location: definition('location'),
  Service: definition('serviceMap'),
  Route: definition('route'),
  'Path redirect': definition('pathRedirect'),
  'Access of a route': definition('routeAccess'),
  'Environment rule': definition('environmentRule'),
  Moved: definition('moved'),
};

for (const [title, part] of Object.entries(sections)) {
  test(`the reference describes every key of "${title}", with its default and whether it is acted on`, () => {
    const expected = [...keysOf(part, '')].map(([key, schema]) => [key, defaultOf(key, schema)]);
    const rows = rowsOf(page, title);
    assert.deepEqual(
      rows.map(([key, , fallback]) => [key, fallback]),
      expected,
    );
    for (const [key, type, , example, actedOn, meaning] of rows) {
      for (const cell of [type, example, actedOn, meaning]) assert.ok(cell && cell !== '–', `${key} is not described in full`);
    }
    const inactive = [...keysOf(part, '')].filter(([, schema]) => schema['notYet'] !== undefined).map(([key]) => key);
    for (const key of inactive) {
      assert.match(rows.find(([each]) => each === key)?.[4] ?? '', /^(?:not yet|ignored)$/, `${key} is said to be acted on`);
    }
  });
}

test('every definition that has keys has a section', () => {
  const described = new Set(Object.values(sections));
  const missing = Object.entries(definitions).filter(([, part]) => part['properties'] !== undefined && !described.has(part));
  assert.deepEqual(
    missing.map(([name]) => name),
    [],
  );
});

test('the page opens with the minimal example', () => {
  assert.ok(page.includes(minimalExample));
});

test('each code of a diagnostic stands in the reference of errors, with what it means and what to do, and no other', () => {
  const complete = rowsOf(errors, 'Diagnostics of the file').filter(
    ([, meaning = '', advice = '']) => meaning.length > 15 && advice.length > 10,
  );
  assert.deepEqual(complete.map(([code]) => code).sort(), [...diagnosticCodes].sort());
});

test('a diagnostic reads as the reference shows it', () => {
  const line = formatDiagnostic({
    code: 'unknown-node',
    severity: 'error',
    message: 'relationships: no service or application is named "databse"',
    at: { file: 'coppice.yaml', line: 4, column: 20 },
    hint: 'did you mean "database"?',
  });
  assert.ok(page.includes(line));
});

function definition(name: string): Part {
  return definitions[name] ?? {};
}

/** The keys of a map as the page names them, with those of maps within that have no section of their own. */
function* keysOf(part: Part, prefix: string): Generator<readonly [string, Part]> {
  for (const [name, value] of Object.entries((part['properties'] ?? {}) as Readonly<Record<string, Part>>)) {
    const referred = typeof value['$ref'] === 'string' ? definition(value['$ref'].slice('#/$defs/'.length)) : {};
    yield [`${prefix}${name}`, { ...referred, ...value }];
    if (value['$ref'] !== undefined) continue;
    yield* keysOf(value, `${prefix}${name}.`);
    yield* keysOf((value['items'] ?? {}) as Part, `${prefix}${name}[].`);
    yield* keysOf((value['additionalProperties'] ?? {}) as Part, `${prefix}${name}.*.`);
  }
}

/** A rule of a location says only what differs: it has no defaults. */
function defaultOf(key: string, schema: Part): string {
  return schema['default'] === undefined || key.startsWith('rules.') ? '–' : `\`${String(schema['default'])}\``;
}

/** The cells of a section's table, the first without its quotes. */
function rowsOf(text: string, title: string): string[][] {
  const section = text.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    )
    .map(([key = '', ...cells]) => [key.replaceAll('`', ''), ...cells]);
}

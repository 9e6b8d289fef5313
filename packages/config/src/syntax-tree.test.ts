import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, read, web } from './reading-fixture.ts';

const nestingBombs: Readonly<Record<string, string>> = {
  'flow lists': '['.repeat(100_000),
  'flow maps': '{a: '.repeat(50_000),
  'closed flow lists': '['.repeat(100_000) + ']'.repeat(100_000),
  'block lists': '- '.repeat(100_000),
  'explicit keys': '? '.repeat(100_000),
  'indented maps': Array.from({ length: 500 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join(''),
};
for (const [name, text] of Object.entries(nestingBombs)) {
  test(`a nesting bomb of ${name} is refused before it is composed`, () => {
    const before = performance.now();
    const [only, ...rest] = read(text).diagnostics;
    assert.equal(only?.message, 'the nesting is deeper than 32');
    assert.equal(only?.code, 'file-too-large');
    assert.deepEqual(rest, []);
    assert.ok(performance.now() - before < 1000);
  });
}

test('directives are refused, so %YAML 1.1 cannot change what no and 0777 mean', () => {
  assert.deepEqual(complaints('%YAML 1.1\n---\napplications: {}\n'), [
    'coppice.yaml:1:1  directives such as %YAML or %TAG are not read; remove the line; YAML 1.2 is read',
  ]);
});

test('YAML 1.2 is read: yes, no and on are text, and 0777 is no octal number', () => {
  const topology = read(web('variables: { env: { A: no, B: on, C: 0777, D: 0o17 } }')).topology;
  const node = topology?.nodes[0];
  assert.deepEqual(node?.kind === 'application' && node.variables, { A: 'no', B: 'on', C: '0777', D: '0o17' });
});

test('several documents are refused, one that starts with --- is not', () => {
  assert.deepEqual(complaints(`${web()}---\na: 1\n`), [
    'coppice.yaml:5:1  the file holds several documents; remove the line "---"; there is one document per file',
  ]);
  assert.deepEqual(complaints(`---\n${web()}`), []);
});

test('tags are refused, standard ones too', () => {
  assert.deepEqual(complaints(web('instances: !!int "2"', 'size: !include x')), [
    'coppice.yaml:5:16  tags such as !!str or !include are not read; remove the tag; put text in quotes',
    'coppice.yaml:6:11  tags such as !!str or !include are not read; remove the tag; put text in quotes',
  ]);
});

test('more keys than the cap are refused', () => {
  const keys = Array.from({ length: 20_001 }, (_, index) => `k${index}:`).join('\n');
  assert.deepEqual(complaints(keys), [
    'coppice.yaml:1:1  the file has more than 20000 keys and list entries; long files can be split into .coppice/*.yaml',
  ]);
});

test('a file of signs alone is refused before each of them becomes an error', () => {
  assert.equal(read(`[${','.repeat(200_000)}]`).diagnostics[0]?.message, 'the file has more than 150000 words and signs');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cloneFixture } from '../clone-fixture.ts';
import { runCoppice } from '../run-coppice.ts';

const good = 'applications:\n  web:\n    type: nodejs:24\n    start: node a.js\n    relationships: [cache]\nservices:\n  cache: redis:7\n';
const bad = good.replace('[cache]', '[cahce]').replace('redis:7', 'redsi:7');

const unknownNode = {
  code: 'unknown-node',
  severity: 'error',
  at: { file: 'coppice.yaml', line: 5, column: 21 },
};
const unknownType = { code: 'unknown-type', severity: 'error', at: { file: 'coppice.yaml', line: 7, column: 10 } };

interface Complaint {
  readonly code: string;
  readonly severity: string;
  readonly at: object;
}

/** One JSON document and nothing else: parsed, with a newline at its end. */
function onlyDocument(stdout: string): unknown {
  const value: unknown = JSON.parse(stdout);
  assert.equal(stdout, `${JSON.stringify(value, null, 2)}\n`);
  return value;
}

test('config check of a good file ends with 0 and says that it is valid', async (t) => {
  const clone = cloneFixture(t);
  clone.write({ 'coppice.yaml': good });
  assert.deepEqual(await runCoppice(clone, 'config', 'check'), { code: 0, stdout: 'coppice.yaml is valid\n', stderr: '' });
  assert.deepEqual(await runCoppice(clone, '--json', 'config', 'check'), {
    code: 0,
    stdout: '{\n  "ok": true,\n  "remarks": []\n}\n',
    stderr: '',
  });
});

test('config check of a bad file ends with 2 and tells every error with its place', async (t) => {
  const clone = cloneFixture(t);
  clone.write({ 'coppice.yaml': bad });
  const { code, stdout, stderr } = await runCoppice(clone, 'config', 'check');
  const places = stderr.split('\n').map((line) => /^\S+:\d+:\d+(?= {2})/.exec(line)?.[0] ?? line);
  assert.deepEqual([code, stdout, places], [2, '', ['coppice.yaml:5:21', 'coppice.yaml:7:10', 'the file has 2 errors', '']]);
  assert.match(stderr, /"cahce".*did you mean "cache"[\s\S]*"redsi".*redis/);
});

test('config show of a good file shows the full form, as text and as JSON', async (t) => {
  const clone = cloneFixture(t);
  clone.write({ 'coppice.yaml': good });
  const text = await runCoppice(clone, 'config', 'show');
  assert.deepEqual([text.code, text.stderr], [0, '']);
  assert.match(text.stdout, /service: cache/);
  const json = await runCoppice(clone, 'config', 'show', '--json');
  const { nodes } = onlyDocument(json.stdout) as { readonly nodes: readonly { readonly name: string; readonly kind: string }[] };
  assert.deepEqual(
    [json.code, json.stderr, nodes.map(({ name, kind }) => `${kind} ${name}`).sort()],
    [0, '', ['application web', 'service cache']],
  );
});

for (const command of ['check', 'show']) {
  test(`config ${command} --json of a bad file is one document of all errors, and ends with 2`, async (t) => {
    const clone = cloneFixture(t);
    clone.write({ 'coppice.yaml': bad });
    const { code, stdout, stderr } = await runCoppice(clone, 'config', command, '--json');
    const { ok, diagnostics } = onlyDocument(stdout) as { readonly ok: boolean; readonly diagnostics: readonly Complaint[] };
    const errors = diagnostics.map(({ code, severity, at }) => ({ code, severity, at }));
    assert.deepEqual([code, ok, errors], [2, false, [unknownNode, unknownType]]);
    assert.match(stderr, /^coppice\.yaml:5:21 {2}/);
  });
}

test('config check takes another folder, and the files beside the main one', async (t) => {
  const clone = cloneFixture(t);
  clone.write({
    'shop/coppice.yaml': good.replace('services:\n  cache: redis:7\n', ''),
    'shop/.coppice/services.yaml': 'services:\n  cache: redis:7\n',
  });
  const result = await runCoppice(clone, 'config', 'check', 'shop');
  assert.deepEqual(result, { code: 0, stdout: 'coppice.yaml is valid\n', stderr: '' });
});

test('config check where there is no file ends with 2 and shows one', async (t) => {
  const { code, stdout, stderr } = await runCoppice(cloneFixture(t), 'config', 'check');
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^there is no coppice\.yaml in \.;[\s\S]*applications:/);
});

test('config check of what is no file ends with 2 and says what it is', async (t) => {
  const clone = cloneFixture(t);
  clone.write({ 'coppice.yaml/file': '' });
  assert.deepEqual(await runCoppice(clone, 'config', 'check'), { code: 2, stdout: '', stderr: 'coppice.yaml cannot be read: EISDIR\n' });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoppiceError, type Diagnostic, type ErrorCode, errorCodes } from '@coppice/model';
import { problemOf } from './problem.ts';

test('a failure of ours becomes a problem with its code, hint and diagnostics', () => {
  const diagnostic: Diagnostic = {
    code: 'unknown-key',
    severity: 'error',
    message: 'no key "aps"',
    at: { file: 'coppice.yaml', line: 1, column: 1 },
    hint: 'apps',
  };
  const error = new CoppiceError('invalid-configuration', 'coppice.yaml is not valid', { diagnostics: [diagnostic], hint: 'correct it' });
  assert.deepEqual(problemOf(error), {
    type: 'https://coppice.invalid/errors/invalid-configuration',
    title: 'invalid configuration',
    status: 422,
    detail: 'coppice.yaml is not valid',
    code: 'invalid-configuration',
    hint: 'correct it',
    diagnostics: [diagnostic],
  });
});

test('what is not there is left out', () => {
  assert.deepEqual(Object.keys(problemOf(new CoppiceError('not-found', 'nothing is there'))), [
    'type',
    'title',
    'status',
    'detail',
    'code',
  ]);
});

test('who asked wrongly hears 4xx, and where the server or its parts failed it is 5xx', () => {
  const ofServer: readonly ErrorCode[] = [
    'engine-unreachable',
    'engine-failed',
    'router-failed',
    'volume-failed',
    'git-failed',
    'catalog-invalid',
    'base-failed',
    'state-failed',
    'secret-unreadable',
    'missing-tool',
    'internal',
  ];
  const failed = errorCodes.filter((code) => problemOf(new CoppiceError(code, 'x')).status >= 500);
  assert.deepEqual(failed, ofServer);
  assert.deepEqual(
    errorCodes.filter((code) => problemOf(new CoppiceError(code, 'x')).status < 400),
    [],
  );
});

test('what is not ours tells nothing of the inside', () => {
  const problems = [new Error('SELECT token FROM tokens'), 'secret', undefined, Object.assign(new Error('x'), { statusCode: 502 })].map(
    problemOf,
  );
  const internal = {
    type: 'https://coppice.invalid/errors/internal',
    title: 'internal',
    status: 500,
    detail: 'something failed inside; the server log has the details',
    code: 'internal',
  };
  assert.deepEqual(problems, [internal, internal, internal, internal]);
});

test('refusals of the framework keep their words', () => {
  const refused = [400, 413, 415].map((statusCode) => problemOf(Object.assign(new Error(`refused ${statusCode}`), { statusCode })));
  assert.deepEqual(
    refused.map(({ status, code, detail }) => [status, code, detail]),
    [
      [400, 'invalid-request', 'refused 400'],
      [413, 'limit-exceeded', 'refused 413'],
      [400, 'invalid-request', 'refused 415'],
    ],
  );
});

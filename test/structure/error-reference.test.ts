import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorCodes } from '@coppice/model';
import { textOf } from './repository-files.ts';

test('each error code stands in docs/reference/errors.md, with what it means and what to do, and no other', () => {
  const section = textOf('docs/reference/errors.md').split('## Error codes')[1]?.split('\n## ')[0] ?? '';
  const rows = section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const complete = rows.filter((cells) => (cells[2] ?? '').length > 20 && (cells[3] ?? '').length > 10);
  assert.deepEqual(complete.map((cells) => cells[1]?.replaceAll('`', '')).sort(), [...errorCodes].sort());
});

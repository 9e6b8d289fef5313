import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

test('the reference lists exactly the metrics that there are', () => {
  const names = (text: string, pattern: RegExp): readonly string[] => [...text.matchAll(pattern)].map(([, name]) => name ?? '');
  assert.deepEqual(
    names(read('../../../docs/reference/metrics.md'), /^\| `(coppice_\w+)`/gm),
    names(read('./metrics.ts'), /^ {4}\['(coppice_\w+)'/gm),
  );
});

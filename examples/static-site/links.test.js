import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const folder = join(import.meta.dirname, 'public');

test('every link of every page leads to a file of the site', () => {
  const pages = readdirSync(folder).filter((name) => name.endsWith('.html'));
  const links = pages.flatMap((page) =>
    [...readFileSync(join(folder, page), 'utf8').matchAll(/href="(\/[^"]*)"/g)].map(([, link]) => ({ page, link })),
  );
  const broken = links.filter(({ link }) => !existsSync(join(folder, link === '/' ? 'index.html' : link)));
  assert.ok(links.length > 0);
  assert.deepEqual(broken, []);
});

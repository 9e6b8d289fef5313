import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeHtml, greeting, renderPage } from './page.js';

test('what people write cannot become markup', () => {
  assert.equal(escapeHtml(`<b>"Tom" & 'Ann'</b>`), '&lt;b&gt;&quot;Tom&quot; &amp; &#39;Ann&#39;&lt;/b&gt;');
});

test('the page shows the greeting, the count, the environment and the entries in order', () => {
  const page = renderPage({
    visits: 3,
    environment: 'main',
    entries: [
      { author: 'Ann', message: 'hi' },
      { author: 'Tom', message: '<3' },
    ],
  });
  const seen = [greeting, '<b>main</b>, looked at 3 times', '<b>Ann</b> hi', '<b>Tom</b> &lt;3'].map((part) => page.indexOf(part));
  assert.deepEqual(
    [...seen].sort((a, b) => a - b),
    seen,
  );
  assert.ok(seen.every((at) => at >= 0));
});

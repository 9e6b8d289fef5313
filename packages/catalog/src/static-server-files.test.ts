import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WebLocation } from '@coppice/model';
import { isCoppiceError } from '@coppice/model';
import { staticServerFiles } from './static-server-files.ts';

const plain: WebLocation = {
  root: 'public',
  index: ['index.html'],
  passthru: false,
  expiresSeconds: -1,
  allow: true,
  headers: {},
  rules: {},
};
const blocks = (locations: Readonly<Record<string, WebLocation>>): string =>
  Object.values(staticServerFiles(locations))
    .join('')
    .split('/coppice.yaml {\n      return 404;\n    }\n')[1]
    ?.replace(/ {2}\}\n\}\n$/, '') ?? '';

test('a location becomes an alias that ends with a slash on both sides', () => {
  assert.equal(
    blocks({ '/docs': { ...plain, passthru: '/docs/index.html', expiresSeconds: 60, headers: { 'X-A': 'a"$b' } } }),
    `    location = "/docs" {
      return 301 "/docs/";
    }
    location "/docs/" {
      alias "/app/public/";
      try_files $uri $uri/ "/docs/index.html";
      index index.html;
      add_header Last-Modified "";
      expires 60s;
      add_header X-A "a\\"\${dollar}b";
    }
`,
  );
});

test('a rule takes what it does not say from its location', () => {
  assert.match(
    blocks({ '/': { ...plain, index: [], rules: { '\\.js$': { expiresSeconds: 10 }, '^/no': { allow: false } } } }),
    /location ~ "\\\\\.js\$" \{\n {8}try_files \$uri =404;\n {8}add_header Last-Modified "";\n {8}expires 10s;\n {6}\}\n {6}location ~ "\^\/no" \{\n {8}return 403;/,
  );
});

test('without a root anywhere the folder of the application is served', () => {
  const rootless: readonly Readonly<Record<string, WebLocation>>[] = [{}, { '/': { ...plain, root: undefined } }];
  for (const locations of rootless) assert.match(blocks(locations), /location "\/" \{\n {6}alias "\/app\/";/);
});

test('what a configuration cannot hold is refused', () => {
  const bad: readonly Readonly<Record<string, WebLocation>>[] = [
    { '/a" { }': plain },
    { 'no-slash': plain },
    { '/': { ...plain, root: '../etc' } },
    { '/': { ...plain, root: 'a;b' } },
    { '/': { ...plain, headers: { 'X A': '1' } } },
    { '/': { ...plain, headers: { 'X-A': '1\nX-B: 2' } } },
    { '/': { ...plain, rules: { 'a\nb': {} } } },
  ];
  for (const locations of bad) {
    assert.throws(
      () => staticServerFiles(locations),
      (error) => isCoppiceError(error, 'invalid-configuration'),
      JSON.stringify(locations),
    );
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refNameProblem, shortRefName } from './ref-name.ts';

test('ordinary and odd but visible names are allowed', () => {
  for (const name of [
    'main',
    'feature/x-1',
    '$(id)',
    'a|b',
    "it's",
    'été',
    '日本',
    '🚀',
    '👩‍💻/❤️',
    'x'.repeat(244),
    'a@b',
    '100%',
    'HEAD',
  ]) {
    assert.equal(refNameProblem(name), undefined, name);
  }
});

test('names that deceive, hide or do not fit are refused with the reason', () => {
  const problems: readonly (readonly [string, RegExp])[] = [
    ['x'.repeat(245), /longer than 244 bytes/],
    ['é'.repeat(123), /longer than 244 bytes/],
    ['-h', /starts with "-"/],
    ['a\u0007b', /control character/],
    ['a b', /space.*U\+0020/],
    ['a\u00a0b', /look-alike.*U\+00A0/],
    ['a\u2003b', /look-alike.*U\+2003/],
    ['a\u3000b', /look-alike.*U\+3000/],
    ['a\u200bb', /invisible.*U\+200B/],
    ['a\u200db', /invisible.*U\+200D/],
    ['a\u3164b', /invisible.*U\+3164/],
    ['a\u2800b', /invisible.*U\+2800/],
    ['a\u202eb', /invisible.*U\+202E/],
    ['a\ue000b', /cannot be shown.*U\+E000/],
    ['a\ufffdb', /invisible/],
    ['e\u0301', /NFC/],
  ];
  for (const [name, problem] of problems) assert.match(refNameProblem(name) ?? '', problem, JSON.stringify(name));
});

test('what git does not allow is refused', () => {
  for (const name of [
    '',
    '@',
    'a..b',
    'a@{b',
    'a~b',
    'a^b',
    'a:b',
    'a?b',
    'a*b',
    'a[b',
    'a\\b',
    '.a',
    'a/.b',
    'a.lock',
    'a.lock/b',
    'a/',
    '/a',
    'a//b',
    'a.',
  ]) {
    assert.notEqual(refNameProblem(name), undefined, name);
  }
});

test('only branches and tags have short names', () => {
  const refs = ['refs/heads/a/b', 'refs/tags/v1', 'refs/notes/x', 'refs/heads/', 'HEAD', 'xrefs/heads/a'];
  assert.deepEqual(refs.map(shortRefName), ['a/b', 'v1', undefined, undefined, undefined, undefined]);
});

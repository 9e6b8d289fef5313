import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from './limits.ts';
import { minimalExample } from './minimal-example.ts';
import { complaints, read, topologyOf } from './reading-fixture.ts';

test('a file over 256 KiB is refused, and one of 10 MB as fast', () => {
  const over = '#'.repeat(limits.fileBytes + 1);
  assert.deepEqual(complaints(over), [
    'coppice.yaml:1:1  the file has 262145 bytes; at most 262144 are read (256 KiB); long files can be split into .coppice/*.yaml',
  ]);
  const before = performance.now();
  assert.equal(read(new Uint8Array(10_000_000)).diagnostics[0]?.code, 'file-too-large');
  assert.ok(performance.now() - before < 5000);
});

test('bytes that are not UTF-8 are refused where the first stands, not replaced', () => {
  const bytes = Buffer.concat([Buffer.from('applications:\n  w'), Buffer.from([0xc3, 0x28]), Buffer.from(': {}\n')]);
  assert.deepEqual(complaints(bytes), ['coppice.yaml:2:4  the file is not valid UTF-8; save it as UTF-8']);
});

test('text with half a surrogate pair is refused', () => {
  assert.deepEqual(complaints('a: \ud800'), ['coppice.yaml:1:4  the file is not valid UTF-8; save it as UTF-8']);
});

test('control characters are refused, also as escapes of the character zero', () => {
  assert.deepEqual(complaints('a: \x1b[31m'), ['coppice.yaml:1:4  the control character U+001B may not stand in the file']);
  assert.ok(complaints('services: { db: "a\\0b" }').includes('coppice.yaml:1:17  text may not hold the character U+0000'));
});

test('a byte order mark and lines that end with CR LF change nothing', () => {
  const plain = topologyOf(minimalExample);
  assert.deepEqual(topologyOf(`\uFEFF${minimalExample}`), plain);
  assert.deepEqual(read(Buffer.from(`\uFEFF${minimalExample}`)).topology, plain);
  assert.deepEqual(topologyOf(minimalExample.replaceAll('\n', '\r\n')), plain);
});

test('no file at all is an error', () => {
  assert.deepEqual(complaints({}), ['coppice.yaml:1:1  there is no coppice.yaml']);
});

test('more files than are read is an error', () => {
  const files = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`.coppice/${index}.yaml`, '']));
  assert.deepEqual(complaints(files), ['.coppice/0.yaml:1:1  there are 33 files; at most 32 are read']);
});

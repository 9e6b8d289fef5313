import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, read, topologyOf, web } from './reading-fixture.ts';

const originOf = (text: string) => {
  const [node] = topologyOf(text).nodes;
  return node === undefined || node.kind === 'worker' ? undefined : node.origin;
};

test('a type is read with its version', () => {
  assert.deepEqual(originOf(web()), { kind: 'type', type: { name: 'nodejs', version: '24' } });
});

test('a type with one version needs none written', () => {
  assert.deepEqual(originOf('applications: { site: { type: static } }'), {
    kind: 'type',
    type: { name: 'static', version: '1' },
  });
});

test('an unknown type lists those that are there, or the nearest', () => {
  assert.deepEqual(complaints('applications:\n  a: { type: fortran:77, start: x }\n  b: { type: nodjs:24, start: x }\nroutes: {}\n'), [
    'coppice.yaml:2:14  type: there is no type "fortran"; there are: nodejs, python, static',
    'coppice.yaml:3:14  type: there is no type "nodjs"; did you mean "nodejs"?',
  ]);
});

test('an unknown or missing version lists those that are there', () => {
  assert.deepEqual(complaints(`${web()}services:\n  a: postgresql:16\n  b: redis\n`), [
    'coppice.yaml:6:6  type: there is no version "16" of postgresql; there are: postgresql:13, postgresql:15, postgresql:17',
    'coppice.yaml:7:6  type: redis needs a version; there are: redis:6, redis:7, redis:8',
  ]);
});

test('a service is no type of an application, nor the other way round', () => {
  assert.deepEqual(complaints('applications: { db: { type: redis:7 } }\nservices: { web: nodejs:24 }\n'), [
    'coppice.yaml:1:29  type: "redis" is a service; declare it under services',
    'coppice.yaml:2:18  type: "nodejs" is a runtime for applications; declare it under applications',
  ]);
});

test('nearest: newer lets a version stand that an upgrade can replace, and no other', () => {
  const services = (version: string) => `catalog: { nearest: newer }\nservices: { db: postgresql:${version} }\n`;
  assert.equal(topologyOf(services('14')).nearestVersion, 'newer');
  assert.deepEqual(complaints(services('18')), [
    'coppice.yaml:2:17  type: there is no version "18" of postgresql; there are: postgresql:13, postgresql:15, postgresql:17',
  ]);
});

test('an image by digest stands for a type', () => {
  const reference = `example.org/team/app@sha256:${'0'.repeat(64)}`;
  assert.deepEqual(originOf(`applications: { a: { image: "${reference}" } }`), { kind: 'image', reference });
  assert.deepEqual(complaints('applications: { a: { image: "example.org/app:1" } }'), [
    'coppice.yaml:1:29  image: "example.org/app:1" is not allowed here; an image with its digest: name@sha256: and 64 hexadecimal digits',
  ]);
  assert.deepEqual(complaints(web(`image: ${reference}`)), [
    'coppice.yaml:5:5  web: both "type" and "image" are given; remove one of them',
  ]);
});

test('a dockerfile beside a type is ignored with a warning, alone it is refused', () => {
  const beside = read(web('dockerfile: Dockerfile'));
  assert.deepEqual(
    beside.diagnostics.map(({ code, severity }) => ({ code, severity })),
    [{ code: 'not-supported', severity: 'warning' }],
  );
  assert.deepEqual(beside.inactive, ['coppice.yaml:5:5  dockerfile of web is ignored']);
  const [node] = beside.topology?.nodes ?? [];
  assert.equal(node?.kind === 'application' && node.origin.kind, 'type');
  assert.equal(read('applications: { a: { dockerfile: Dockerfile } }').diagnostics[0]?.severity, 'error');
});

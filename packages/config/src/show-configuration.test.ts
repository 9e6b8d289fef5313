import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson } from '@coppice/model';
import { completeExample } from './complete-example.ts';
import { minimalExample } from './minimal-example.ts';
import { topologyOf } from './reading-fixture.ts';
import { showConfiguration } from './show-configuration.ts';

for (const [name, text] of Object.entries({ minimal: minimalExample, complete: completeExample })) {
  test(`the full form of the ${name} example reads as the same topology`, () => {
    const topology = topologyOf(text);
    assert.equal(canonicalJson(topologyOf(showConfiguration(topology))), canonicalJson(topology));
  });
}

test('the full form writes every default out', () => {
  const shown = showConfiguration(topologyOf('applications: { web: { type: static } }\nservices: { db: postgresql:15 }'));
  assert.equal(
    shown,
    `applications:
  web:
    type: static:1
    source:
      root: .
    hooks: {}
    dependencies: {}
    web:
      enabled: true
      commands: {}
      upstream:
        socket_family: tcp
        protocol: http
      locations:
        /:
          root: .
          index:
            - index.html
          passthru: false
          expires: -1
          allow: true
          headers: {}
          rules: {}
    workers: {}
    crons: {}
    variables:
      env: {}
    relationships: {}
    mounts: {}
    resources: {}
    instances: 1
    healthcheck:
      interval: 10s
      timeout: 5s
    access: {}
services:
  db:
    type: postgresql:15
    configuration:
      endpoints: {}
      properties: {}
    relationships: {}
    resources: {}
routes:
  http(s)://{default}/:
    type: upstream
    upstream: web:http
    redirects:
      paths: {}
    primary: false
    headers: {}
environments: []
backups: []
catalog:
  nearest: exact
`,
  );
});

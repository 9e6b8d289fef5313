import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EnvironmentRule, type Release, releaseDigest, sha256 } from '@coppice/model';
import { buildNode, routeTo } from '@coppice/model/builders';
import { globMatches, overlay } from './overlay.ts';

const branches = ['main', 'feature', 'feature/a', 'feature/b', 'feature/a/b', 'featureXa', 'v1.0', 'v1x0'];

for (const [glob, matched] of [
  ['*', ['main', 'feature', 'featureXa', 'v1.0', 'v1x0']],
  ['**', branches],
  ['feature/*', ['feature/a', 'feature/b']],
  ['feature/**', ['feature/a', 'feature/b', 'feature/a/b']],
  ['feature?a', ['featureXa']],
  ['v1.0', ['v1.0']],
] as const) {
  test(`the glob ${glob} matches ${matched.length} of the branches`, () => {
    assert.deepEqual(
      branches.filter((branch) => globMatches(glob, branch)),
      matched,
    );
  });
}

const web = buildNode('web', { variables: { LEVEL: 'info', NAME: 'web' }, instances: 2 });
const db = buildNode('db', { kind: 'service', variables: { LANG: 'C.UTF-8' } });
const digest = sha256('release');

function rule(match: string, overrides: Partial<EnvironmentRule> = {}): EnvironmentRule {
  return { match, data: undefined, suspendAfterMs: undefined, resources: {}, instances: {}, variables: {}, ...overrides };
}

function releaseWith(...environments: readonly EnvironmentRule[]): Release {
  return { v: 1, nodes: [db, web], routes: [routeTo('web')], environments, data: { sanitize: undefined }, backups: [] };
}

test('a branch that no rule fits runs the release as it is', () => {
  assert.deepEqual(overlay(releaseWith(rule('main', { instances: { web: 9 } })), digest, 'fix'), {
    v: 1,
    release: digest,
    nodes: [db, web],
    routes: [routeTo('web')],
  });
});

test('a rule sets what it says of sizes and instances by node, and variables of all but services', () => {
  const sized = rule('main', {
    resources: { web: { cpu: 2 }, db: { memoryBytes: 1024, diskBytes: 2048 }, gone: { cpu: 9 } },
    instances: { web: 0, gone: 9 },
    variables: { LEVEL: 'debug', ADDED: 'yes' },
  });
  assert.deepEqual(overlay(releaseWith(sized), digest, 'main').nodes, [
    { ...db, resources: { cpu: 0.5, memoryBytes: 1024, diskBytes: 2048 } },
    {
      ...web,
      resources: { ...web.resources, cpu: 2 },
      instances: 0,
      variables: { LEVEL: 'debug', NAME: 'web', ADDED: 'yes' },
    },
  ]);
});

test('of several rules that fit, the first alone counts', () => {
  const release = releaseWith(
    rule('release/*', { instances: { web: 7 } }),
    rule('fix/**', { instances: { web: 3 } }),
    rule('**', { instances: { web: 5 }, variables: { LEVEL: 'debug' } }),
  );
  assert.deepEqual(overlay(release, digest, 'fix/cart').nodes, [db, { ...web, instances: 3 }]);
});

test('a rule leaves the release it is laid over as it was', () => {
  const release = releaseWith(rule('**', { instances: { web: 5 }, variables: { LEVEL: 'debug' }, resources: { web: { cpu: 3 } } }));
  const before = releaseDigest(release);
  overlay(release, digest, 'main');
  assert.equal(releaseDigest(release), before);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { globMatches } from './overlay.ts';

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

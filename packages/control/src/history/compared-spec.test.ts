import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EnvironmentSpec, type NodeSpec, sha256 } from '@coppice/model';
import { buildNode, buildSpec, routeTo } from '@coppice/model/builders';
import { diffValues } from '@coppice/plan';
import { comparedSpec } from './compared-spec.ts';

const keyedHash = (text: string): string => sha256(`key ${text}`).slice(7, 19);

function difference(from: EnvironmentSpec, to: EnvironmentSpec): readonly (readonly unknown[])[] {
  return diffValues(comparedSpec(from, keyedHash), comparedSpec(to, keyedHash)).map((change) => [change.path, change.from, change.to]);
}

const web = buildNode('web', { variables: { LEVEL: 'debug', COLOUR: 'blue' } });

function changed(change: Partial<NodeSpec>): readonly (readonly unknown[])[] {
  return difference(buildSpec([web]), buildSpec([{ ...web, ...change }]));
}

test('the difference names nodes, images, versions, sizes and routes', () => {
  const other = buildNode('web', { code: 'code-2' });
  const { memoryBytes, cpu } = web.resources;
  const cases = {
    image: changed({ image: other.image }),
    version: changed({ trace: { ...web.trace, type: 'nodejs:26', version: '26.0.0' } }),
    source: changed({ trace: { ...web.trace, sourceTree: other.trace.sourceTree, buildKey: other.trace.buildKey } }),
    size: changed({ resources: { ...web.resources, cpu: 2 * cpu, memoryBytes: 2 * memoryBytes }, instances: 3 }),
    routes: difference(buildSpec([web], [routeTo('web')]), buildSpec([web], [routeTo('api')])),
    sleep: difference(buildSpec([web]), { ...buildSpec([web]), suspendAfterMs: 60_000 }),
  };
  assert.deepEqual(cases, {
    image: [['nodes.web.image', web.image.manifest, other.image.manifest]],
    version: [
      ['nodes.web.type', 'nodejs:24', 'nodejs:26'],
      ['nodes.web.version', '24.1.0', '26.0.0'],
    ],
    source: [
      ['nodes.web.buildKey', web.trace.buildKey, other.trace.buildKey],
      ['nodes.web.sourceTree', web.trace.sourceTree, other.trace.sourceTree],
    ],
    size: [
      ['nodes.web.instances', 1, 3],
      ['nodes.web.resources.cpu', cpu, 2 * cpu],
      ['nodes.web.resources.memoryBytes', memoryBytes, 2 * memoryBytes],
    ],
    routes: [['routes["http://{default}/"].node', 'web', 'api']],
    sleep: [['suspendAfterMs', null, 60_000]],
  });
});

test('a node that only one side has is shown whole, with hashes for the values of its variables', () => {
  const [change, ...rest] = difference(buildSpec([]), buildSpec([web]));
  const [path, from, to] = change ?? [];
  assert.deepEqual([path, from, rest], ['nodes.web', null, []]);
  assert.doesNotMatch(JSON.stringify(to), /debug|blue/);
});

test('variables differ by name and hash of the value, which depends on the name and tells no value', () => {
  const [level, ...rest] = changed({ variables: { LEVEL: 'info', COLOUR: 'blue' } });
  assert.deepEqual([level?.[0], rest], ['nodes.web.variables.LEVEL', []]);
  assert.match(`${level?.[1]} ${level?.[2]}`, /^([0-9a-f]{12}) (?!\1)[0-9a-f]{12}$/);
  const [gone, come] = changed({ variables: { SHADE: 'blue', LEVEL: 'debug' } });
  assert.deepEqual([gone?.[0], gone?.[2], come?.[0], come?.[1]], ['nodes.web.variables.COLOUR', null, 'nodes.web.variables.SHADE', null]);
  assert.notEqual(gone?.[1], come?.[2]);
});

test('passwords of routes differ by hash too, and what is equal is not named', () => {
  const guarded = (password: string): EnvironmentSpec => {
    const access = { basicAuth: { ann: password, bob: 'the same' }, addresses: [] };
    return buildSpec([web], [{ ...routeTo('web'), access }]);
  };
  const [change, ...rest] = difference(guarded('sesame'), guarded('open'));
  assert.deepEqual([change?.[0], rest], ['routes["http://{default}/"].access.basicAuth.ann', []]);
  assert.match(`${change?.[1]} ${change?.[2]}`, /^[0-9a-f]{12} [0-9a-f]{12}$/);
  assert.deepEqual(difference(guarded('sesame'), { ...guarded('sesame'), release: sha256('another') }), []);
});

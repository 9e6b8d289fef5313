import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EnvironmentSpec, NodeSpec } from '@coppice/model';
import { buildNode, buildSpec } from '@coppice/model/builders';
import { touchesData } from './touches-data.ts';

const mounts: NodeSpec['mounts'] = [{ target: '/data', source: 'storage', volume: 'data', exclusive: false }];
const spec = (...nodes: readonly NodeSpec[]): EnvironmentSpec => buildSpec(nodes);

test('a deployment touches data where a node that keeps some comes, goes or is replaced', () => {
  const db = buildNode('db', { mounts });
  const web = buildNode('web');
  const other = buildNode('db', { mounts, argv: ['other'] });
  assert.equal(touchesData(spec(db, web), spec(db, web)), false);
  assert.equal(touchesData(spec(db, web), spec(db, buildNode('web', { argv: ['other'] }))), false);
  assert.equal(touchesData(spec(db), spec(other)), true);
  assert.equal(touchesData(spec(web), spec(db, web)), true);
  assert.equal(touchesData(spec(db, web), spec(web)), true);
});

test('or where a deploy hook runs', () => {
  const hooks = { deploy: 'migrate', postDeploy: undefined, postStart: undefined };
  const web = buildNode('web', { hooks });
  assert.equal(touchesData(spec(web), spec(web)), false);
  assert.equal(touchesData(spec(web), spec(buildNode('web', { hooks, argv: ['other'] }))), true);
  assert.equal(touchesData(spec(buildNode('web')), spec(web)), true);
  assert.equal(touchesData(spec(web), spec(buildNode('web', { argv: ['other'] }))), false);
});

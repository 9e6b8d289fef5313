import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildNode, buildSpec, routeTo } from '@coppice/model/builders';
import { describeRoutes, publicUrls } from './routes.ts';

const addressing = { host: 'main.shop.localhost', port: 8080 };
const nodes = [buildNode('web')];
const routes = ['http://api.{default}/', 'http://{default}/v2/', 'http://{default}/'].map((url) => ({
  ...routeTo('web', url),
  primary: false,
}));

test('the URL of the environment itself comes first where no route is primary', () => {
  assert.deepEqual(publicUrls(buildSpec(nodes, routes), addressing), [
    'http://main.shop.localhost:8080/',
    'http://api.main.shop.localhost:8080/',
    'http://main.shop.localhost:8080/v2/',
  ]);
});

test('a route that says it is primary comes first', () => {
  const [api, ...others] = routes;
  assert.ok(api);
  assert.equal(publicUrls(buildSpec(nodes, [...others, { ...api, primary: true }]), addressing)[0], 'http://api.main.shop.localhost:8080/');
});

test('the application is told of exactly one primary route', () => {
  const primary = Object.values(describeRoutes(buildSpec(nodes, routes), addressing)).filter((route) => route.primary);
  assert.deepEqual(
    primary.map((route) => route.url),
    ['http://main.shop.localhost:8080/'],
  );
});

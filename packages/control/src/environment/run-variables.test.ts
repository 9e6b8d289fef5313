import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeSpec } from '@coppice/model';
import { buildNode, buildSpec, relatedTo } from '@coppice/model/builders';
import { type RunContext, relationshipHost, runVariables } from './run-variables.ts';

const spec = buildSpec([]);
const context: RunContext = {
  project: 'shop',
  environment: 'fix-cart',
  branch: 'fix/cart',
  commit: 'c'.repeat(40),
  tree: 'a'.repeat(40),
  spec,
  routes: { 'http://fix-cart.shop.localhost/': { url: 'http://fix-cart.shop.localhost/', upstream: 'web', primary: true } },
  credentials: (node, relationship) => ({ username: `${node.name}_${relationship.name}`, password: 'p@ss/w' }),
};

/** The variables with those in base64 read. */
function variablesOf(node: NodeSpec): Readonly<Record<string, unknown>> {
  const read = (text: string): unknown => JSON.parse(Buffer.from(text, 'base64').toString());
  return Object.fromEntries(
    Object.entries(runVariables(node, context)).map(([name, value]) => [
      name,
      /^PLATFORM_(?:RELATIONSHIPS|ROUTES|VARIABLES)$/.test(name) ? read(value) : value,
    ]),
  );
}

const everyApplication = {
  PORT: '8080',
  PLATFORM_RELATIONSHIPS: {},
  PLATFORM_ROUTES: context.routes,
  PLATFORM_VARIABLES: {},
  PLATFORM_APPLICATION_NAME: 'web',
  PLATFORM_APP_DIR: '/app',
  PLATFORM_BRANCH: 'fix/cart',
  PLATFORM_ENVIRONMENT: 'fix-cart',
  PLATFORM_PROJECT: 'shop',
  PLATFORM_TREE_ID: 'a'.repeat(40),
  COPPICE_COMMIT: 'c'.repeat(40),
  COPPICE_RELEASE: spec.release,
};

test('an application learns where it runs and what was deployed', () => {
  assert.deepEqual(variablesOf(buildNode('web')), everyApplication);
});

test('variables of the type and of env stand by themselves, not in PLATFORM_VARIABLES', () => {
  const variables = { PATH: '/app/node_modules/.bin:/usr/bin', LANG: 'C.UTF-8', LEVEL: 'info' };
  assert.deepEqual(variablesOf(buildNode('web', { variables })), { ...everyApplication, ...variables });
});

test('the file replaces what a relationship gives, not what the platform sets', () => {
  const variables = { API_URL: 'mine', PORT: '1', PLATFORM_BRANCH: 'mine', COPPICE_COMMIT: 'mine' };
  const { PLATFORM_RELATIONSHIPS: _told, ...told } = variablesOf(buildNode('web', { variables, relationships: [relatedTo('api')] }));
  const { PLATFORM_RELATIONSHIPS: _none, ...expected } = everyApplication;
  const relationship = { API_HOST: 'api.internal', API_PORT: '8080', API_SCHEME: 'http', API_PATH: '', API_URL: 'mine' };
  assert.deepEqual(told, { ...expected, ...relationship });
});

test('a relationship with a user gives its parts, its URL and its entry', () => {
  const db = relatedTo('main-db', { scheme: 'postgresql', port: 5432, path: 'main', credentials: true, extra: { fragment: 'x' } });
  const url = 'postgresql://web_main-db:p%40ss%2Fw@main-db.internal:5432/main';
  assert.deepEqual(variablesOf(buildNode('web', { relationships: [db] })), {
    ...everyApplication,
    MAIN_DB_HOST: 'main-db.internal',
    MAIN_DB_PORT: '5432',
    MAIN_DB_SCHEME: 'postgresql',
    MAIN_DB_PATH: 'main',
    MAIN_DB_URL: url,
    MAIN_DB_USERNAME: 'web_main-db',
    MAIN_DB_PASSWORD: 'p@ss/w',
    PLATFORM_RELATIONSHIPS: {
      'main-db': [
        {
          fragment: 'x',
          rel: 'main-db',
          service: 'main-db',
          host: 'main-db.internal',
          port: 5432,
          scheme: 'postgresql',
          path: 'main',
          username: 'web_main-db',
          password: 'p@ss/w',
          query: { is_master: true },
          url,
        },
      ],
    },
  });
});

test('a relationship without users gives no name and password', () => {
  const cache = relatedTo('cache', { scheme: 'redis', port: 6379 });
  assert.deepEqual(variablesOf(buildNode('web', { relationships: [cache] })), {
    ...everyApplication,
    CACHE_HOST: 'cache.internal',
    CACHE_PORT: '6379',
    CACHE_SCHEME: 'redis',
    CACHE_PATH: '',
    CACHE_URL: 'redis://cache.internal:6379',
    PLATFORM_RELATIONSHIPS: {
      cache: [
        {
          rel: 'cache',
          service: 'cache',
          host: 'cache.internal',
          port: 6379,
          scheme: 'redis',
          path: '',
          username: null,
          password: null,
          query: { is_master: true },
          url: 'redis://cache.internal:6379',
        },
      ],
    },
  });
});

test('a node that serves no HTTP has no PORT', () => {
  const { PORT: _port, ...others } = everyApplication;
  assert.deepEqual(variablesOf(buildNode('web--mail', { kind: 'worker', ports: {} })), {
    ...others,
    PLATFORM_APPLICATION_NAME: 'web--mail',
  });
});

test('a service gets what its type declares and nothing else', () => {
  const db = buildNode('db', { kind: 'service', variables: { LANG: 'C.UTF-8' }, relationships: [relatedTo('cache')] });
  assert.deepEqual(runVariables(db, context), { LANG: 'C.UTF-8' });
});

test('the host of a relationship is a name that DNS takes', () => {
  assert.equal(relationshipHost(relatedTo('Main_DB')), 'main-db.internal');
});

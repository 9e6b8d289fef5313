import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildNode, buildSpec, relatedTo } from '@coppice/model/builders';
import { credentialsOf, provisionInput, relationshipUser } from './credentials.ts';

const obtain = (name: string): string => `<${name}>`;
const reached = relatedTo('db', { credentials: true });

function database(schemas: readonly string[]): ReturnType<typeof buildNode> {
  return buildNode('db', { kind: 'service', provision: { argv: ['provision'], schemas } });
}

test('a user is named after the node and its relationship', () => {
  assert.equal(relationshipUser(buildNode('web'), reached), 'web_db');
});

test('a worker logs in as its application', () => {
  assert.equal(relationshipUser(buildNode('web--mail', { kind: 'worker' }), reached), 'web_db');
  assert.deepEqual(credentialsOf(buildNode('web--mail', { kind: 'worker' }), reached, obtain), {
    username: 'web_db',
    password: '<relationship/db/web_db>',
  });
});

test('names that a database would not take, or would cut, become short ones that still differ', () => {
  const names = ['my-db', 'my_db', 'MY_DB', 'my.db', 'x'.repeat(36), 'x'.repeat(37), `${'x'.repeat(37)}y`];
  const users = names.map((name) => relationshipUser(buildNode('web'), relatedTo(name)));
  assert.deepEqual(users.slice(1, 2).concat(users.slice(4, 5)), ['web_my_db', `web_${'x'.repeat(36)}`]);
  assert.equal(new Set(users).size, names.length);
  for (const user of users) assert.match(user, /^[a-z0-9_]{1,40}$/);
});

test('the password belongs to the service and the user, whatever the relationship’s endpoint', () => {
  assert.deepEqual(credentialsOf(buildNode('web'), { ...reached, endpoint: 'reader' }, obtain), {
    username: 'web_db',
    password: '<relationship/db/web_db>',
  });
});

test('provisioning gets each schema, and each user once with what it may do', () => {
  const spec = buildSpec([
    database(['main', 'legacy']),
    buildNode('web', { relationships: [reached, relatedTo('cache', { credentials: true })] }),
    buildNode('web--mail', { kind: 'worker', relationships: [reached] }),
    buildNode('report', { relationships: [{ ...reached, name: 'data', privileges: { main: 'ro', legacy: 'rw' } }] }),
    buildNode('probe', { relationships: [{ ...reached, credentials: false }] }),
  ]);
  assert.equal(
    provisionInput(database(['main', 'legacy']), spec, obtain),
    [
      'schema\tmain',
      'schema\tlegacy',
      'user\treport_data\t<relationship/db/report_data>\tmain=ro,legacy=rw',
      'user\tweb_db\t<relationship/db/web_db>\tmain=admin,legacy=admin',
      '',
    ].join('\n'),
  );
});

test('a service without schemas that nobody logs in to gets nothing', () => {
  const cache = buildNode('cache', { kind: 'service' });
  assert.equal(provisionInput(cache, buildSpec([cache, buildNode('web', { relationships: [relatedTo('cache')] })]), obtain), '');
});

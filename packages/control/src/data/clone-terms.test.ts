import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Digest, isCoppiceError, type NodeName, type NodeSpec, type Release } from '@coppice/model';
import { buildNode, buildSpec } from '@coppice/model/builders';
import { type CloneTerms, sanitizeFor, startsEmpty } from './clone-terms.ts';

const digest = `sha256:${'0'.repeat(64)}` as Digest;
const relationship: NodeSpec['relationships'][number] = {
  ...{ name: 'db', node: 'db' as NodeName, endpoint: 'redis', scheme: 'redis', port: 6379, path: '' },
  ...{ credentials: true, privileges: {}, extra: {} },
};
const web = buildNode('web', { relationships: [relationship] });
const db = buildNode('db');
const empty = { match: 'feature/*', data: 'empty' as const, suspendAfterMs: undefined, resources: {}, instances: {}, variables: {} };

function release(of: Partial<Release> = {}): Release {
  return { v: 1, nodes: [db, web], routes: [], environments: [], data: { sanitize: undefined }, backups: [], ...of };
}

function terms(of: {
  readonly origin?: Partial<Release>;
  readonly target?: Partial<Release>;
  readonly nodes?: readonly NodeSpec[];
}): CloneTerms {
  return {
    origin: { release: release(of.origin), spec: buildSpec([db, web]), specDigest: digest },
    target: { release: release(of.target), spec: buildSpec(of.nodes ?? [db, web]), branch: 'feature/one' },
  };
}

test('a branch begins empty where its parent says so or its own file does, by the first rule that fits', () => {
  const clone = { ...empty, match: '**', data: 'clone' as const };
  assert.equal(startsEmpty(terms({})), undefined);
  assert.match(startsEmpty(terms({ origin: { environments: [empty] } })) ?? '', /the parent gives it none/);
  assert.match(startsEmpty(terms({ target: { environments: [empty] } })) ?? '', /its file wants none/);
  assert.equal(startsEmpty(terms({ origin: { environments: [clone, empty] } })), undefined);
  assert.match(startsEmpty(terms({ origin: { environments: [empty] }, target: { environments: [clone] } })) ?? '', /the parent/);
});

const sanitize = { node: 'web' as NodeName, run: './scrub', timeoutMs: 1_000 };

test('the data is sanitised where its own release says so, whatever the branch says', () => {
  const wanted = { ...sanitize, spec: digest };
  assert.deepEqual(sanitizeFor(terms({ origin: { data: { sanitize } } })), wanted);
  assert.deepEqual(
    sanitizeFor(terms({ origin: { data: { sanitize } }, target: { data: { sanitize: { ...sanitize, run: 'true' } } } })),
    wanted,
  );
  assert.equal(sanitizeFor(terms({ target: { data: { sanitize } } })), undefined);
});

test('a branch that would run code of its own on the data before it is sanitised gets none', () => {
  const nodes = [buildNode('db', { code: 'of the branch' }), web];
  assert.throws(
    () => sanitizeFor(terms({ origin: { data: { sanitize } }, nodes })),
    (error) => isCoppiceError(error, 'conflict') && /web cannot sanitise the data: it needs db/.test(error.message),
  );
});

test('a branch that lacks what sanitising needs gets no data', () => {
  for (const nodes of [[db], [db, buildNode('web')]]) {
    assert.throws(
      () => sanitizeFor(terms({ origin: { data: { sanitize } }, nodes })),
      (error) => isCoppiceError(error, 'conflict') && /must be sanitised by web/.test(error.message),
    );
  }
});

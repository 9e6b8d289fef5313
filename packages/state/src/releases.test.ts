import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson, environmentSpecDigest, isCoppiceError, releaseDigest } from '@coppice/model';
import { buildNode, buildSpec } from '@coppice/model/builders';
import { digestNamed, emptyRelease, gitId, temporaryStore } from './temporary-store.ts';

test('a release is kept under its digest, however often it is put', (t) => {
  const { store } = temporaryStore(t);
  const release = emptyRelease();
  assert.deepEqual([store.releases.put(release), store.releases.put(release)], [releaseDigest(release), releaseDigest(release)]);
  assert.equal(canonicalJson(store.releases.get(releaseDigest(release))), canonicalJson(release));
  assert.equal(store.releases.get(digestNamed('none')), undefined);
});

test('a spec is kept under its digest, which it still has when it comes back', (t) => {
  const { store } = temporaryStore(t);
  const digest = store.releases.putSpec(buildSpec([buildNode('web'), buildNode('api')]));
  const back = store.releases.getSpec(digest);
  assert.equal(back && environmentSpecDigest(back), digest);
  assert.equal(store.releases.getSpec(digestNamed('none')), undefined);
});

test('the ledger keeps the first resolution of a tree until somebody refreshes it, per project', (t) => {
  const { store } = temporaryStore(t);
  const [shop, blog] = [store.projects.create('shop').name, store.projects.create('blog').name];
  const [first, second] = [store.releases.put(emptyRelease('a')), store.releases.put(emptyRelease('b'))];
  const tree = gitId('a');
  assert.equal(store.releases.resolved(shop, tree), undefined);
  assert.equal(store.releases.resolve(shop, tree, first, 'first'), first);
  assert.equal(store.releases.resolve(shop, tree, second, 'first'), first);
  assert.equal(store.releases.resolve(blog, tree, second, 'first'), second);
  assert.equal(store.releases.resolved(shop, tree), first);
  assert.equal(store.releases.resolve(shop, tree, second, 'refresh'), second);
  assert.equal(store.releases.resolved(shop, tree), second);
});

test('a release that was never put cannot enter the ledger', (t) => {
  const { store } = temporaryStore(t);
  const { name } = store.projects.create('shop');
  assert.throws(
    () => store.releases.resolve(name, gitId('a'), digestNamed('none'), 'first'),
    (error) => isCoppiceError(error, 'not-found'),
  );
});

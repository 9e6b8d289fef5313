import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoppiceError, environmentSpecDigest, releaseDigest } from '@coppice/model';
import { buildNode, buildSpec } from '@coppice/model/builders';
import type { Store } from '@coppice/state';
import { emptyRelease, gitId, temporaryStore } from '@coppice/state/testing';
import { defaultEnvironment, deploymentNamed, environmentNamed, liveOf, projectNamed, specNamed } from './find.ts';

function create(store: Store, branch: string, project = 'shop'): ReturnType<Store['environments']['create']> {
  return store.environments.create({ project, name: branch.replace('/', '-'), branch, parent: undefined });
}

function deploy(store: Store, environment: ReturnType<typeof create>): ReturnType<Store['deployments']['create']> {
  const release = store.releases.put(emptyRelease());
  const spec = store.releases.putSpec(buildSpec([buildNode('web')]));
  return store.deployments.create({
    environment: environment.id,
    commit: gitId('c'),
    tree: gitId('a'),
    release,
    spec,
    status: 'deploying',
    reason: '',
    actor: 'ann',
  });
}

test('a project is found by its name, else those that are there are said', (t) => {
  const { store } = temporaryStore(t);
  const missing = 'no project is named "shop"';
  assert.throws(
    () => projectNamed(store, 'shop'),
    new CoppiceError('not-found', missing, { hint: 'create one: coppice project create NAME' }),
  );
  const blog = store.projects.create('blog');
  store.projects.create('wiki');
  assert.throws(() => projectNamed(store, 'shop'), new CoppiceError('not-found', missing, { hint: 'there are: blog, wiki' }));
  assert.deepEqual(projectNamed(store, 'blog'), blog);
});

test('an environment is found by name or branch of its project, else those that are there are said', (t) => {
  const { store } = temporaryStore(t);
  for (const project of ['shop', 'blog']) store.projects.create(project);
  create(store, 'theirs', 'blog');
  assert.throws(
    () => environmentNamed(store, 'shop', ''),
    new CoppiceError('not-found', 'project "shop" has no environment yet', { hint: 'push a branch to create one' }),
  );
  const fix = create(store, 'fix/cart');
  create(store, 'docs');
  assert.deepEqual([environmentNamed(store, 'shop', 'fix-cart'), environmentNamed(store, 'shop', 'fix/cart')], [fix, fix]);
  assert.throws(
    () => environmentNamed(store, 'shop', 'theirs'),
    new CoppiceError('not-found', 'project "shop" has no environment "theirs"', { hint: 'there are: fix-cart, docs' }),
  );
  assert.throws(() => environmentNamed(store, 'wiki', ''), { code: 'not-found', message: 'no project is named "wiki"' });
});

test('the name of one environment goes before the branch of another', (t) => {
  const { store } = temporaryStore(t);
  store.projects.create('shop');
  store.environments.create({ project: 'shop', name: 'other', branch: 'cart', parent: undefined });
  const named = store.environments.create({ project: 'shop', name: 'cart', branch: 'fix', parent: undefined });
  assert.deepEqual(environmentNamed(store, 'shop', 'cart'), named);
});

test('the default is main, else the one that was pushed first', (t) => {
  const { store } = temporaryStore(t);
  store.projects.create('shop');
  assert.equal(defaultEnvironment(store, 'shop'), undefined);
  const first = create(store, 'first');
  create(store, 'docs');
  assert.deepEqual([defaultEnvironment(store, 'shop'), environmentNamed(store, 'shop', '')], [first, first]);
  const main = create(store, 'main');
  assert.deepEqual([defaultEnvironment(store, 'shop'), environmentNamed(store, 'shop', '')], [main, main]);
});

test('a deployment is found in its own project only, also after its environment is gone', (t) => {
  const { store } = temporaryStore(t);
  for (const project of ['shop', 'blog']) store.projects.create(project);
  const environment = create(store, 'fix');
  const deployment = deploy(store, environment);
  store.environments.delete(environment.id);
  assert.deepEqual(deploymentNamed(store, 'shop', deployment.id), deployment);
  for (const [project, id] of [
    ['blog', deployment.id],
    ['shop', 'd_none'],
  ] as const) {
    assert.throws(
      () => deploymentNamed(store, project, id),
      new CoppiceError('not-found', `project "${project}" has no deployment "${id}"`, { hint: 'list them: coppice deployments' }),
    );
  }
});

test('what is live is the deployment that is served with what it pinned, once one was', (t) => {
  const { store } = temporaryStore(t);
  store.projects.create('shop');
  const main = create(store, 'main');
  const deployment = deploy(store, main);
  assert.equal(liveOf(store, main), undefined);
  store.environments.setLive(main.id, deployment.id);
  const live = liveOf(store, environmentNamed(store, 'shop', 'main'));
  assert.ok(live);
  assert.deepEqual(live.deployment, deployment);
  assert.equal(releaseDigest(live.release), releaseDigest(emptyRelease()));
  assert.equal(environmentSpecDigest(live.spec), environmentSpecDigest(buildSpec([buildNode('web')])));
});

test('what ran is known of a deployment and of what an environment serves, of no other project and of nothing that failed too early', (t) => {
  const { store } = temporaryStore(t);
  for (const project of ['shop', 'blog']) store.projects.create(project);
  const fix = create(store, 'fix/cart');
  assert.equal(specNamed(store, 'shop', 'fix-cart'), undefined);
  const deployment = deploy(store, fix);
  store.environments.setLive(fix.id, deployment.id);
  const names = ['fix-cart', 'fix/cart', deployment.id, 'fix'];
  const specs = names.map((name) => specNamed(store, 'shop', name));
  const spec = environmentSpecDigest(buildSpec([buildNode('web')]));
  assert.deepEqual(
    specs.map((found) => found && environmentSpecDigest(found)),
    [spec, spec, spec, undefined],
  );
  assert.equal(specNamed(store, 'blog', deployment.id), undefined);
  const failed = store.deployments.create({ ...deployment, spec: undefined, status: 'failed' });
  assert.throws(
    () => specNamed(store, 'shop', failed.id),
    new CoppiceError('not-found', `the deployment ${failed.id} ended before it was known what to run`, {
      hint: 'list them: coppice deployments',
    }),
  );
});

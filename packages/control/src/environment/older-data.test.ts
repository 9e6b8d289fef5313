import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '@coppice/model';
import { observedGeneration, observedWorld } from '@coppice/model/builders';
import { makePlan } from '@coppice/plan';
import { openStore } from '@coppice/state';
import { olderDirectory, stateVersions } from '@coppice/state/testing';

/** What the containers of those directories carry as their node's digest: never edited, or every server replaces them all once it is newer. */
const labelled = 'sha256:75cdb2632089bbbde7fb95c80d0fca1439fa1de759aa3a674ed64d8da931c5d4' as Digest;

for (const version of stateVersions) {
  test(`over a directory that version ${version} wrote, whatever runs is left as it is`, (t) => {
    const store = openStore({ directory: olderDirectory(t, version) });
    t.after(() => store.close());
    const environment = store.environments.findByName('shop', 'main');
    assert.ok(environment?.desired.spec && environment.live);
    const { desired } = environment;
    const previous = store.releases.getSpec(store.deployments.specOf(environment.live) as Digest);
    const jobs = store.environments.jobs(environment.live);
    const generations = environment.desired.spec.nodes.map((node) => observedGeneration(node, { digest: labelled }));
    // Markers beside the volumes tell no generation where an older version wrote them.
    for (const data of [{}, { dataGeneration: 0 }, { dataGeneration: desired.dataGeneration }]) {
      const observed = observedWorld(desired.spec, { generations, ...data });
      const { steps, changes } = makePlan({ desired, observed, previous, jobs, routes: observed.routes });
      assert.deepEqual([steps, changes.map(({ action }) => action)], [[], ['keep']]);
    }
  });
}

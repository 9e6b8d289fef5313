import type { ObjectReader } from '@coppice/git';
import { type Digest, formatDiagnostic, type GitId, type Release } from '@coppice/model';
import type { RunningActivity } from '../activity-recorder.ts';
import type { Ports } from '../ports.ts';
import { readTopology } from './read-configuration.ts';
import { buildAll, nodeBuilds, resolveRelease } from './resolve-release.ts';

export interface ReleaseRequest {
  readonly project: string;
  readonly tree: GitId;
  readonly objects: ObjectReader;
  readonly activity: Pick<RunningActivity, 'say' | 'signal'>;
  /** `refresh`: resolved and built anew in place of what the ledger holds. */
  readonly mode: 'first' | 'refresh';
}

/** The release of a tree: the ledger's where the tree was resolved before, else validated, built and entered there. */
export async function releaseOfTree(ports: Ports, request: ReleaseRequest): Promise<{ readonly digest: Digest; readonly value: Release }> {
  const known = request.mode === 'first' ? ports.store.releases.resolved(request.project, request.tree) : undefined;
  const release = known && ports.store.releases.get(known);
  if (known && release) return { digest: known, value: release };

  const tree = await request.objects.tree(request.tree);
  const { topology, remarks, warnings } = await readTopology(tree, ports.types);
  for (const line of [...warnings.map(formatDiagnostic), ...remarks]) request.activity.say(line);
  const builds = await nodeBuilds({ project: request.project, topology, tree, catalog: ports.catalog, typeFiles: ports.typeFiles });
  const images = await buildAll(builds, ports.images, request.activity);
  const value = resolveRelease(topology, builds, images);
  const digest = ports.store.transaction(() => {
    const put = ports.store.releases.put(value);
    return ports.store.releases.resolve(request.project, request.tree, put, request.mode);
  });
  return { digest, value: ports.store.releases.get(digest) ?? value };
}

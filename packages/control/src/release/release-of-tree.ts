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

interface Resolved {
  readonly digest: Digest;
  readonly value: Release;
}

/** The release of a tree: the ledger's where the tree was resolved before, else validated, built and entered there. */
export async function releaseOfTree(ports: Ports, request: ReleaseRequest): Promise<Resolved> {
  const entered = request.mode === 'first' ? ports.store.releases.resolved(request.project, request.tree) : undefined;
  const known = entered && (await keptRelease(ports, entered));
  if (known) return known;
  await ports.refuseWithoutRoom?.();
  const tree = await request.objects.tree(request.tree);
  const { topology, remarks, warnings } = await readTopology(tree, ports.types);
  for (const line of [...warnings.map(formatDiagnostic), ...remarks]) request.activity.say(line);
  const builds = await nodeBuilds({ project: request.project, topology, tree, catalog: ports.catalog, typeFiles: ports.typeFiles });
  const images = await buildAll(builds, ports.images, request.activity);
  const value = resolveRelease(topology, builds, images);
  const digest = ports.store.transaction(() => {
    const put = ports.store.releases.put(value);
    return ports.store.releases.resolve(request.project, request.tree, put, entered === undefined ? request.mode : 'refresh');
  });
  return { digest, value: ports.store.releases.get(digest) ?? value };
}

/** What the ledger holds, where all its images are still there: those of a release that nothing kept may have been collected. */
async function keptRelease({ store, images }: Ports, digest: Digest): Promise<Resolved | undefined> {
  const value = store.releases.get(digest);
  if (!value) return undefined;
  const pins = value.nodes.map(({ image }) => image);
  const there = await images.complete(pins);
  return pins.every(({ manifest }) => there.has(manifest)) ? { digest, value } : undefined;
}

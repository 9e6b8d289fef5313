import type { ObjectReader } from '@coppice/git';
import type { Digest, GitId, ImagePin, NodeName, Release } from '@coppice/model';
import { releaseDigest } from '@coppice/model';
import { makePlan, type Plan } from '@coppice/plan';
import type { EnvironmentRecord } from '@coppice/state';
import { copiesInAnInstant } from '../data/backup-before.ts';
import { touchesData } from '../data/touches-data.ts';
import type { HealthMonitor } from '../environment/health-monitor.ts';
import { observe } from '../environment/observe.ts';
import { liveOf } from '../history/find.ts';
import type { Ports } from '../ports.ts';
import { overlay } from '../release/overlay.ts';
import { readTopology } from '../release/read-configuration.ts';
import { lookAtBuilds, nodeBuilds, resolveRelease } from '../release/resolve-release.ts';

export interface PreviewRequest {
  readonly project: string;
  readonly tree: GitId;
  readonly objects: ObjectReader;
  /** Undefined: a branch that has none yet. */
  readonly environment: EnvironmentRecord | undefined;
  readonly branch: string;
}

export interface Preview {
  readonly plan: Plan;
  readonly toBuild: readonly { readonly node: NodeName; readonly key: Digest }[];
}

/** Computes what deploying a tree would change, without building or changing anything. */
export class PlanPreview {
  readonly #ports: Ports;
  readonly #health: HealthMonitor;

  constructor(ports: Ports, health: HealthMonitor) {
    this.#ports = ports;
    this.#health = health;
  }

  async ofTree(request: PreviewRequest): Promise<Preview> {
    const { release, toBuild } = await this.#release(request);
    const { environment } = request;
    const spec = overlay(release, releaseDigest(release), request.branch);
    const observed = environment
      ? await observe(this.#ports, this.#health, environment.id, spec)
      : { network: false, generations: [], jobs: [], volumes: [], routes: undefined, hold: undefined };
    const previous = environment && liveOf(this.#ports.store, environment)?.spec;
    const desired = { exists: true, run: 'up', spec, dataGeneration: 0, attempt: undefined } as const;
    const copiesHeld = previous !== undefined && touchesData(previous, spec) && copiesInAnInstant(this.#ports.volumes);
    return { plan: makePlan({ desired, observed, previous, jobs: [], routes: undefined, copiesHeld }), toBuild };
  }

  /** With images not built yet, a node's build key stands in for the digests that the build will give. */
  async #release(request: PreviewRequest): Promise<{ readonly release: Release; readonly toBuild: Preview['toBuild'] }> {
    const known = this.#ports.store.releases.resolved(request.project, request.tree);
    const resolved = known && this.#ports.store.releases.get(known);
    if (resolved) return { release: resolved, toBuild: [] };
    const tree = await request.objects.tree(request.tree);
    const { topology } = await readTopology(tree, this.#ports.types);
    const builds = await nodeBuilds({
      project: request.project,
      topology,
      tree,
      catalog: this.#ports.catalog,
      typeFiles: this.#ports.typeFiles,
    });
    const outlooks = await lookAtBuilds(builds, this.#ports.images);
    const images = new Map(
      [...outlooks].map(([node, outlook]) => [node, { ...outlook, image: outlook.image ?? placeholder(outlook.key), built: false }]),
    );
    const toBuild = [...outlooks].flatMap(([node, outlook]) => (outlook.image ? [] : [{ node, key: outlook.key }]));
    return { release: resolveRelease(topology, builds, images), toBuild };
  }
}

function placeholder(key: Digest): ImagePin {
  return { manifest: key, config: key };
}

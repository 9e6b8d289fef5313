import type { Engine } from '@coppice/engine';
import type { Digest, NodeName } from '@coppice/model';
import type { EnvironmentWork, NetworkNow } from './environment-work.ts';

/**
 * Keeps the environment's policy true to what runs while a plan is applied. Of applications that are asked for at once, one runs and one
 * waits: the one that waits sees all that was asked for meanwhile.
 */
export class NetworkKeeper {
  readonly #engine: Engine;
  readonly #work: EnvironmentWork;
  readonly #serving: Map<NodeName, Digest>;
  #running: Promise<void> | undefined;
  #waiting: Promise<void> | undefined;
  #prepared: Promise<void> | undefined;

  constructor(engine: Engine, work: EnvironmentWork, serving: ReadonlyMap<NodeName, Digest>) {
    this.#engine = engine;
    this.#work = work;
    this.#serving = new Map(serving);
  }

  /** Applies the policy once: the engine then lets new instances in by it, before their processes run. */
  async prepare(): Promise<void> {
    this.#prepared ??= this.apply();
    await this.#prepared;
  }

  /** Leads a node's stable address to a generation. */
  async serve(node: NodeName, digest: Digest): Promise<void> {
    this.#serving.set(node, digest);
    await this.apply();
  }

  /** Looks what runs and swaps the policy. */
  async apply(): Promise<void> {
    if (this.#running) {
      this.#waiting ??= this.#running.then(
        () => this.#run(),
        () => this.#run(),
      );
      await this.#waiting;
    } else await this.#run();
  }

  /** What runs now, with the serving generations. */
  async now(): Promise<NetworkNow> {
    const listing = await this.#engine.inspect(this.#work.environment);
    const jobs = new Map<NodeName, readonly string[]>();
    for (const job of listing.jobs) {
      if (job.state === 'running' && job.address !== undefined) jobs.set(job.node, [...(jobs.get(job.node) ?? []), job.address]);
    }
    return { generations: listing.generations, serving: new Map(this.#serving), jobs };
  }

  async #run(): Promise<void> {
    this.#waiting = undefined;
    const run = this.now().then((now) => this.#engine.applyPolicy(this.#work.environment, this.#work.policy(now)));
    this.#running = run;
    try {
      await run;
    } finally {
      if (this.#running === run) this.#running = undefined;
    }
  }
}

import type { SimulatedSight } from '@coppice/engine';
import { type Desired, type EnvironmentId, type EnvironmentSpec, isClosed, type NodeName, type NodeSpec, nodeDigest } from '@coppice/model';
import { wantedInstances } from '@coppice/plan';
import type { EnvironmentRecord } from '@coppice/state';
import type { SimulatedServer } from './simulated-server.ts';

/** What must always be true and can be seen on simulated parts. */
export type Invariant =
  | 'a route leads only to ready instances of its own environment'
  | 'one live instance at most holds an exclusive volume'
  | 'a dependency is ready before its dependants start'
  | 'dependants stop before their dependencies'
  | 'only what is desired is started'
  | 'what did not change is not touched'
  | 'volumes go only with their environment'
  | 'whoever has a volume open is gone before its data changes'
  | 'a copy is of one instant'
  | 'a node finds what it wrote'
  | 'no acknowledged write vanishes'
  | 'foreign data that was not sanitised is closed'
  | 'a copy is sanitised once'
  | 'a backup that was promised is there'
  | 'foreign containers are not touched'
  | 'an accepted push moved its ref, a refused one did not'
  | 'a history ends as desired'
  | 'no failure is left uncaught'
  | 'two reconciles in a row do nothing';

export interface Violation {
  readonly invariant: Invariant;
  readonly detail: string;
}

type Instance = SimulatedSight & { readonly what: { readonly kind: 'instance' } };

/** Looks at the whole simulated world after each effect, and says what must never be. */
export class WorldWatch {
  readonly violations: Violation[] = [];
  readonly #server: SimulatedServer;
  /** What crashed by itself or was killed by hand: what comes of it is nobody's fault. */
  readonly #hurt = new Set<string>();
  /** Instances of hurt nodes that are gone: `environment node digest`. */
  readonly #lost = new Set<string>();
  readonly #specs = new Map<string, NodeSpec>();
  readonly #foreign = new Set<string>();
  #before = new Map<string, SimulatedSight>();
  #environments: ReadonlyMap<EnvironmentId, EnvironmentRecord> | undefined;
  #isMisled = false;

  constructor(server: SimulatedServer) {
    this.#server = server;
  }

  /** Another server's container was put there. */
  addForeign(id: string): void {
    this.#foreign.add(id);
    this.look();
  }

  /** Notes a container that is about to come to harm. */
  hurt({ id, environment, node, what }: SimulatedSight): void {
    this.#hurt.add(id);
    if (what.kind === 'instance') this.#lost.add(`${environment} ${node} ${what.digest}`);
  }

  /** Whether what is seen now may follow from a listing that was not true. */
  get isMisled(): boolean {
    return this.#isMisled;
  }

  /** What is known of an environment. */
  recordOf(id: EnvironmentId): EnvironmentRecord | undefined {
    return this.#record(id);
  }

  /** What an environment serves. */
  servedOf(id: EnvironmentId): EnvironmentSpec | undefined {
    const { store } = this.#server.ports;
    const live = this.#record(id)?.live;
    const digest = live && store.deployments.specOf(live);
    return digest && store.releases.getSpec(digest);
  }

  /** The node that an instance was started for; undefined for anything else, and for what was never desired. */
  specOf({ environment, node, what }: SimulatedSight): NodeSpec | undefined {
    this.#record(environment);
    return what.kind === 'instance' ? this.#specs.get(`${environment} ${node} ${what.digest}`) : undefined;
  }

  /** A wish was written: what is known of them is old. */
  wished(): void {
    this.#environments = undefined;
  }

  /** A listing that was not true was answered: until all is quiet, what follows from it is not held against the control plane. */
  misled(): void {
    this.#isMisled = true;
  }

  /** All that followed from untrue listings is over. */
  clear(): void {
    this.#isMisled = false;
  }

  /** Takes the world as it is, without asking how it came to be so. */
  look(): void {
    this.#before = new Map(this.#server.engine.containers().map((sight) => [sight.id, sight]));
  }

  /** Judges what the control plane just did. */
  judge(call: { readonly port: string; readonly name: string; readonly input: readonly unknown[] }): void {
    const sights = this.#server.engine.containers();
    const now = new Map(sights.map((sight) => [sight.id, sight]));
    for (const sight of sights) {
      const before = this.#before.get(sight.id);
      if (isInstance(sight) && sight.state !== 'created' && (before?.state ?? 'created') === 'created') this.#judgeStart(sight, sights);
      if (before?.state === 'running' && sight.state === 'exited') this.#judgeStop(before, sights);
    }
    for (const [id, before] of this.#before) if (!now.has(id)) this.#judgeStop(before, sights);
    if (call.port === 'volumes' && call.name === 'removeSet') this.#judgeRemovedSet(call.input[0] as EnvironmentId);
    this.#judgeExclusive(sights);
    this.#judgeRoutes(now);
    this.#before = now;
  }

  /** Adds a violation that was seen elsewhere. */
  violate(invariant: Invariant, detail: string): void {
    this.violations.push({ invariant, detail });
  }

  #judgeStart(started: Instance, sights: readonly SimulatedSight[]): void {
    const { environment, node, what } = started;
    const spec = this.#record(environment)?.desired.spec;
    const own = spec?.nodes.find((candidate) => candidate.name === node);
    if (!spec || !own || nodeDigest(own) !== what.digest) {
      this.violate('only what is desired is started', `${describe(started)} was started`);
      return;
    }
    if (this.#isMisled) return;
    for (const { node: name } of own.relationships) {
      const needed = spec.nodes.find((candidate) => candidate.name === name);
      const digest = needed && nodeDigest(needed);
      const ready = sights.some(
        (sight) => isOf(sight, environment, name) && isInstance(sight) && sight.what.digest === digest && sight.ready,
      );
      if (ready || this.#lost.has(`${environment} ${name} ${digest}`)) continue;
      this.violate('a dependency is ready before its dependants start', `${describe(started)} was started before ${name} was ready`);
    }
  }

  #judgeStop(stopped: SimulatedSight, sights: readonly SimulatedSight[]): void {
    if (this.#foreign.has(stopped.id)) this.violate('foreign containers are not touched', describe(stopped));
    if (!isInstance(stopped)) return;
    if (!this.#mayGo(stopped)) this.violate('what did not change is not touched', `${describe(stopped)} was stopped or removed`);
    if (stopped.state !== 'running' || this.#hurt.has(stopped.id) || this.#isMisled || !this.#isGone(stopped)) return;
    const dependant = sights.find(
      (sight) =>
        isInstance(sight) &&
        sight.environment === stopped.environment &&
        sight.state === 'running' &&
        this.#isGone(sight) &&
        this.#isDeclared(sight) &&
        this.specOf(sight)?.relationships.some(({ node }) => node === stopped.node),
    );
    if (dependant) this.violate('dependants stop before their dependencies', `${describe(stopped)} stopped before ${describe(dependant)}`);
  }

  /** Whether an instance may be stopped: it is not desired, there is one too many, or it does not serve. */
  #mayGo(instance: Instance): boolean {
    const { environment, node, what } = instance;
    const desired = this.#record(environment)?.desired;
    if (!desired?.exists || desired.run === 'suspended' || !instance.ready || this.#hurt.has(instance.id)) return true;
    if (instance.hostPaths.length > 0 && this.#isDataChanging(environment, desired)) return true;
    const spec = desired.spec?.nodes.find((candidate) => candidate.name === node);
    return !spec || nodeDigest(spec) !== what.digest || what.index >= wantedInstances(spec);
  }

  /** Whether an environment is to get other data, or data under other names, or holds what nobody may see yet. */
  #isDataChanging(environment: EnvironmentId, desired: Desired): boolean {
    const generation = this.#server.volumes.sets().get(environment)?.generation;
    const isOther = desired.dataSource !== undefined && generation !== desired.dataGeneration;
    return isOther || desired.volumeMoves !== undefined || isClosed(desired);
  }

  /** Whether all instances of its node shall go. */
  #isGone({ environment, node }: SimulatedSight): boolean {
    const desired = this.#record(environment)?.desired;
    return !desired?.exists || desired.run === 'suspended' || !desired.spec?.nodes.some((candidate) => candidate.name === node);
  }

  /** Whether it is of the release that is desired or served: of what an attempt left that never served, nobody knows the relationships. */
  #isDeclared({ environment, node, what }: Instance): boolean {
    const specs = [this.#record(environment)?.desired.spec, this.servedOf(environment)];
    return specs.some((spec) => spec?.nodes.some((own) => own.name === node && nodeDigest(own) === what.digest));
  }

  #judgeRemovedSet(environment: EnvironmentId): void {
    if (this.#record(environment)?.desired.exists)
      this.violate('volumes go only with their environment', `the volumes of ${environment} were removed`);
  }

  #judgeExclusive(sights: readonly SimulatedSight[]): void {
    const running = sights.filter((sight) => sight.state === 'running' && sight.hostPaths.length > 0);
    for (const holder of running) {
      for (const path of this.#exclusivePaths(holder)) {
        const others = running.filter((sight) => sight !== holder && sight.hostPaths.includes(path));
        if (others.length === 0 || this.#isMisled) continue;
        this.violate(
          'one live instance at most holds an exclusive volume',
          `${[holder, ...others].map(describe).join(' and ')} hold ${path}`,
        );
        return;
      }
    }
  }

  #exclusivePaths(sight: SimulatedSight): readonly string[] {
    const { environment, node } = sight;
    const spec = this.specOf(sight) ?? this.#record(environment)?.desired.spec?.nodes.find((candidate) => candidate.name === node);
    const exclusive = (spec?.mounts ?? []).filter((mount) => mount.exclusive);
    return exclusive
      .map((mount) => this.#server.ports.volumes.path({ environment, node: mount.node ?? node, volume: mount.volume }))
      .filter((path) => sight.hostPaths.includes(path));
  }

  #judgeRoutes(now: ReadonlyMap<string, SimulatedSight>): void {
    if (this.#isMisled) return;
    for (const [environment, table] of this.#server.router.tables()) {
      for (const { host, path, target } of table.entries) {
        for (const { id } of target.kind === 'upstream' ? target.servers : []) {
          const sight = now.get(id);
          if (sight?.ready && sight.environment === environment) continue;
          if (this.#hurt.has(id)) continue;
          const what = sight ? describe(sight) : `${id.slice(-4)}, which is gone`;
          this.violate('a route leads only to ready instances of its own environment', `${host}${path} leads to ${what}`);
        }
      }
    }
  }

  #record(id: EnvironmentId): EnvironmentRecord | undefined {
    if (!this.#environments) {
      this.#environments = new Map(this.#server.ports.store.environments.list().map((environment) => [environment.id, environment]));
      for (const [environment, { desired }] of this.#environments) {
        for (const spec of desired.spec?.nodes ?? []) this.#specs.set(`${environment} ${spec.name} ${nodeDigest(spec)}`, spec);
      }
    }
    return this.#environments.get(id);
  }
}

function isInstance(sight: SimulatedSight): sight is Instance {
  return sight.what.kind === 'instance';
}

function isOf(sight: SimulatedSight, environment: EnvironmentId, node: NodeName): boolean {
  return sight.environment === environment && sight.node === node;
}

function describe({ id, environment, node, what, state, ready }: SimulatedSight): string {
  const which = what.kind === 'instance' ? `.${what.index} of ${what.digest.slice(7, 12)}` : ` (${what.kind})`;
  return `${node}${which} in ${environment} (${id.slice(-4)}, ${ready ? 'ready' : state})`;
}

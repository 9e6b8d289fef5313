import type { SimulatedSight } from '@coppice/engine';
import type { EnvironmentId, NodeName, NodeSpec, SnapshotId } from '@coppice/model';
import { keptMounts, sanitizeHook } from '@coppice/plan';
import type { NodeMove, Replacement, SimulatedSet, SimulatedVolume, SnapshotRequest, VolumeRef } from '@coppice/volumes';
import { cannotHold } from '../release/data-gate.ts';
import { AcknowledgedWrites } from './acknowledged-writes.ts';
import { DataLedger } from './data-ledger.ts';
import { type Demand, ForeignCopies, neededBy } from './foreign-copies.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimulatedServer } from './simulated-server.ts';
import type { WorldWatch } from './world-watch.ts';

/** Calls of the volumes for which whoever has the data open must be gone. */
const disturbing = new Set(['replace', 'setAside', 'moveNode', 'removeNode', 'removeSet']);
/** Calls after which something that was kept may be gone. */
const losing = new Set([...disturbing, 'removeSnapshot']);

/** Lets the instances of a simulated world write to their volumes, and looks after each effect at what became of the data. */
export class DataWatch {
  readonly #server: SimulatedServer;
  readonly #watch: WorldWatch;
  readonly #ledger = new DataLedger();
  readonly #foreign: ForeignCopies;
  readonly #acknowledged: AcknowledgedWrites;
  /** Sets as they were after the effect before. */
  #sets = new Map<EnvironmentId, SimulatedSet>();
  /** Folders of each set that came with the copy it was made of. */
  readonly #copied = new Map<EnvironmentId, ReadonlySet<string>>();
  /** Volumes by their path. */
  readonly #volumes = new Map<string, VolumeRef>();
  /** Jobs that sanitised, by environment and generation. */
  readonly #sanitizers = new Map<string, Set<string>>();
  readonly #started = new Set<string>();
  readonly #ended = new Set<string>();
  /** How often what happened to the data. */
  readonly counts: Record<string, number> = {};

  constructor(server: SimulatedServer, watch: WorldWatch) {
    this.#server = server;
    this.#watch = watch;
    this.#foreign = new ForeignCopies(server);
    this.#acknowledged = new AcknowledgedWrites(server, this.#ledger);
  }

  /** One instance that runs writes to all its volumes; answers which, undefined where there is none. */
  write(random: SeededRandom): string | undefined {
    const writers = this.#server.engine
      .containers()
      .filter(({ state, frozen, what, hostPaths }) => state === 'running' && !frozen && what.kind === 'instance' && hostPaths.length > 0);
    if (writers.length === 0) return undefined;
    const writer = random.pick(writers);
    const spec = this.#watch.specOf(writer);
    if (!spec) return undefined;
    const isAnswered = this.#isReached(writer);
    for (const volume of this.#volumesOf(writer)) {
      const found = this.#find(volume);
      if (!found) continue;
      const content = this.#ledger.write(found.text, spec.trace);
      this.#server.volumes.write(volume, content);
      if (isAnswered) this.#acknowledged.add(volume, content);
    }
    this.look();
    return `${writer.node} writes${isAnswered ? ' what somebody asked for' : ''}`;
  }

  /** Somebody asks for a change of an environment's data. */
  mayChange(environment: EnvironmentId): void {
    this.#acknowledged.mayChange(environment);
  }

  /** What is in the trash now may go. */
  trashMayGo(): void {
    this.#acknowledged.trashMayGo();
  }

  /** Takes the data as it is, without asking how it came to be so. */
  look(): void {
    this.#sets = new Map(this.#server.volumes.sets());
    this.#noteSanitized();
  }

  /** Judges what the control plane just did. */
  judge(call: { readonly port: string; readonly name: string; readonly input: readonly unknown[] }): void {
    const sights = this.#server.engine.containers();
    if (call.port === 'volumes') this.#judgeVolumes(call.name, call.input, sights);
    for (const sight of sights) if (sight.state !== 'created' && !this.#started.has(sight.id)) this.#judgeStart(sight);
    this.#noteSanitized();
    for (const [environment, demand] of this.#foreign.closed) this.#judgeClosed(environment, demand, sights);
    this.#sets = new Map(this.#server.volumes.sets());
  }

  /** What of all that was acknowledged is nowhere; undefined where all is there. */
  lost(): string | undefined {
    return this.#acknowledged.lost() ?? this.#acknowledged.misplaced();
  }

  #judgeVolumes(name: string, input: readonly unknown[], sights: readonly SimulatedSight[]): void {
    const [first] = input as readonly [{ readonly environment: EnvironmentId } | EnvironmentId | SnapshotId];
    const environment = (typeof first === 'string' ? first : first.environment) as EnvironmentId;
    const before = this.#sets.get(environment);
    const now = this.#server.volumes.sets().get(environment);
    if (disturbing.has(name) ? before !== now : name !== 'ensure') this.#count(name);
    if (disturbing.has(name) && before !== now) {
      this.#judgeHolders(name, { environment, input, before }, sights);
      this.#acknowledged.changed(environment);
    }
    if (name === 'snapshot') this.#judgeSnapshot(first as SnapshotRequest, sights);
    if (name === 'ensure' && before !== now) this.#judgeBegun(input[0] as VolumeRef, before);
    if (name === 'replace' && before?.generation !== now?.generation) {
      const change = first as Replacement;
      this.#foreign.replaced(change, this.#server.volumes.kept().has(change.aside));
      this.#copied.set(environment, new Set([...(now?.held.values() ?? [])].map(({ node }) => node)));
      this.#acknowledged.replaced(change);
    }
    if (name === 'setAside' && before && !now) {
      this.#foreign.putAside(environment, (first as SnapshotRequest).id);
      this.#acknowledged.putAside(first as SnapshotRequest);
    }
    if (name === 'removeSet') this.#foreign.opened(environment);
    if (!losing.has(name)) return;
    const lost = this.#acknowledged.lost();
    if (lost) this.#watch.violate('no acknowledged write vanishes', `${lost} after ${name}`);
  }

  /** Whoever has it open would write into what is not its data any more. */
  #judgeHolders(
    name: string,
    change: { readonly environment: EnvironmentId; readonly input: readonly unknown[]; readonly before: SimulatedSet | undefined },
    sights: readonly SimulatedSight[],
  ): void {
    if (this.#watch.isMisled) return;
    const { environment, input, before } = change;
    const folders = foldersOf(name, input);
    const paths = new Set(
      [...(before?.held.values() ?? [])]
        .filter(({ node }) => !folders || folders.includes(node))
        .map(({ node, volume }) => this.#pathOf({ environment, node, volume })),
    );
    const holder = sights.find(({ state, hostPaths }) => state === 'running' && hostPaths.some((path) => paths.has(path)));
    if (!holder) return;
    this.#watch.violate('whoever has a volume open is gone before its data changes', `${name} while ${describe(holder)} runs`);
  }

  #judgeSnapshot({ environment, id }: SnapshotRequest, sights: readonly SimulatedSight[]): void {
    const { driver } = this.#server.volumes;
    this.#foreign.copied(environment, id);
    if (this.#foreign.closed.has(environment))
      this.#watch.violate('foreign data that was not sanitised is closed', `it was copied as ${id} from ${environment}`);
    const writer = sights.find(
      (sight) => sight.environment === environment && sight.state === 'running' && !sight.frozen && sight.hostPaths.length > 0,
    );
    if (driver.name === 'btrfs' || !writer) return;
    this.#watch.violate('a copy is of one instant', `${describe(writer)} runs while its environment is copied`);
  }

  /** A node that begins with nothing, although what it wrote lies elsewhere in the set. */
  #judgeBegun({ environment, node }: VolumeRef, before: SimulatedSet | undefined): void {
    const held = [...(before?.held.values() ?? [])];
    if (held.some((volume) => volume.node === node)) return;
    const record = this.#watch.recordOf(environment);
    const nodes = record?.desired.spec?.nodes ?? [];
    const spec = nodes.find(({ name }) => name === node);
    if (!spec) return;
    const served = this.#watch.servedOf(environment);
    const isFree = (name: string): boolean => !nodes.some((other) => other.name === name);
    const was = [spec.movedFrom, ...(served?.nodes ?? []).filter(({ movedFrom }) => movedFrom === node).map(({ name }) => name)];
    const mine = held.find(({ node: folder, text }) => {
      if (this.#ledger.writerOf(text) === undefined || !this.#fits(spec, text)) return false;
      if (folder.includes('~')) return folder.split('~')[0] === node && this.#copied.get(environment)?.has(folder) !== true;
      return was.includes(folder) && isFree(folder);
    });
    if (mine)
      this.#watch.violate(
        'a node finds what it wrote',
        `${node} of ${environment} begins with nothing, and ${mine.node} holds what it wrote`,
      );
  }

  #judgeStart(started: SimulatedSight): void {
    this.#started.add(started.id);
    const spec = this.#watch.specOf(started);
    if (!spec) return;
    for (const volume of this.#volumesOf(started)) {
      const text = this.#find(volume)?.text ?? '';
      if (this.#fits(spec, text)) continue;
      const writer = this.#ledger.writerOf(text);
      this.#watch.violate(
        'a node finds what it wrote',
        `${describe(started)}, ${spec.trace.type}:${spec.trace.version}, was started on what ${writer?.type}:${writer?.version} wrote`,
      );
    }
  }

  /** Whether a node can go on with what was written. */
  #fits(spec: NodeSpec, text: string): boolean {
    const writer = this.#ledger.writerOf(text);
    return !writer || !cannotHold(spec, { ...spec, trace: { ...spec.trace, ...writer } });
  }

  #judgeClosed(environment: EnvironmentId, demand: Demand, sights: readonly SimulatedSight[]): void {
    if (this.#watch.isMisled) return;
    const nodes = this.#watch.recordOf(environment)?.desired.spec?.nodes ?? [];
    const needed = neededBy(demand, nodes);
    const routed = this.#server.router
      .tables()
      .get(environment)
      ?.entries.find(({ target }) => target.kind === 'upstream' && target.servers.length > 0 && reachesData(target.node, nodes));
    const own = sights.filter((sight) => sight.environment === environment && sight.state === 'running');
    const holder = own.find((sight) => sight.hostPaths.length > 0 && !isSanitizer(sight) && !needed.has(sight.node));
    const job = own.find((sight) => sight.what.kind === 'job' && !isSanitizer(sight) && sight.hostPaths.length > 0);
    const wrong = routed
      ? `${routed.host}${routed.path} leads to something`
      : holder || job
        ? describe(holder ?? job ?? own[0])
        : undefined;
    const edge = wrong ?? this.#openEdge(environment, needed, own);
    if (edge) this.#watch.violate('foreign data that was not sanitised is closed', `${environment}: ${edge}`);
  }

  /** Somebody who runs for other reasons and may reach a node that runs on closed data. */
  #openEdge(environment: EnvironmentId, needed: ReadonlySet<NodeName>, own: readonly SimulatedSight[]): string | undefined {
    const policy = this.#server.engine.policyOf(environment);
    const holders = new Set(own.filter(({ hostPaths }) => hostPaths.length > 0).map(({ node }) => node));
    const outside = own.filter((sight) => sight.what.kind === 'instance' && !needed.has(sight.node));
    for (const { node } of outside) {
      const edge = policy?.edges.find(({ from, to }) => from === node && needed.has(to) && holders.has(to));
      const isIn = policy?.nodes.some((each) => each.node === node && each.instances.length > 0);
      if (edge && isIn && !own.some((sight) => isSanitizer(sight) && sight.node === node)) return `${node} may reach ${edge.to}`;
    }
    return undefined;
  }

  /** Jobs that ended well have opened the data they ran on. */
  #noteSanitized(): void {
    for (const sight of this.#server.engine.containers()) {
      if (!isSanitizer(sight) || sight.state === 'created') continue;
      const { environment, what, id } = sight;
      const key = `${environment} ${what.kind === 'job' ? what.hook : ''}`;
      const runs = this.#sanitizers.get(key) ?? new Set();
      this.#sanitizers.set(key, runs.add(id));
      if (runs.size > 1)
        this.#watch.violate('a copy is sanitised once', `${what.kind === 'job' ? what.hook : ''} of ${environment} ran twice`);
      const generation = this.#server.volumes.sets().get(environment)?.generation;
      const isOfThis = what.kind === 'job' && generation !== undefined && what.hook === sanitizeHook(generation);
      if (sight.exitCode !== undefined && !this.#ended.has(id)) this.#count(sight.exitCode === 0 ? 'sanitised' : 'not sanitised');
      if (sight.exitCode !== undefined) this.#ended.add(id);
      if (isOfThis && sight.exitCode === 0) this.#foreign.opened(environment);
    }
  }

  /** Whether requests from outside come to it, through however many others. */
  #isReached(writer: SimulatedSight): boolean {
    const { environment } = writer;
    if (!writer.ready || this.#watch.recordOf(environment)?.live === undefined || this.#foreign.closed.has(environment)) return false;
    const servers = (this.#server.router.tables().get(environment)?.entries ?? []).flatMap(({ target }) =>
      target.kind === 'upstream' ? target.servers.map(({ id }) => id) : [],
    );
    const ready = this.#server.engine.containers().filter((sight) => sight.environment === environment && sight.ready);
    const reached = new Set(ready.filter(({ id }) => servers.includes(id)));
    for (const sight of reached) {
      const needs = new Set((this.#watch.specOf(sight)?.relationships ?? []).map(({ node }) => node));
      for (const other of ready) if (needs.has(other.node)) reached.add(other);
    }
    return [...reached].some(({ id }) => id === writer.id);
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  #volumesOf({ hostPaths }: SimulatedSight): readonly VolumeRef[] {
    return hostPaths.flatMap((path) => this.#volumeAt(path) ?? []);
  }

  #volumeAt(path: string): VolumeRef | undefined {
    const known = this.#volumes.get(path);
    if (known) return known;
    for (const [environment, { held }] of this.#server.volumes.sets()) {
      for (const { node, volume } of held.values()) {
        if (!node.includes('~')) this.#volumes.set(this.#pathOf({ environment, node, volume }), { environment, node, volume });
      }
    }
    return this.#volumes.get(path);
  }

  #pathOf({ environment, node, volume }: VolumeRef): string {
    return node.includes('~') ? '' : this.#server.volumes.path({ environment, node, volume });
  }

  #find({ environment, node, volume }: VolumeRef): SimulatedVolume | undefined {
    const held = this.#server.volumes.sets().get(environment)?.held.values() ?? [];
    return [...held].find((each) => each.node === node && each.volume === volume);
  }
}

/** Whether a node keeps data, or needs one that does, through however many others. */
function reachesData(node: string, nodes: readonly NodeSpec[]): boolean {
  const reached = new Set<string>([node]);
  for (const each of reached)
    for (const { node: other } of nodes.find(({ name }) => name === each)?.relationships ?? []) reached.add(other);
  return nodes.some((spec) => reached.has(spec.name) && keptMounts(spec).length > 0);
}

/** Folders that a call is about; undefined: all of the set. */
function foldersOf(name: string, [input]: readonly unknown[]): readonly string[] | undefined {
  if (name === 'moveNode') return [(input as NodeMove).from, (input as NodeMove).to];
  return name === 'removeNode' ? [(input as { readonly node: string }).node] : undefined;
}

function isSanitizer({ what }: SimulatedSight): boolean {
  return what.kind === 'job' && what.hook.startsWith('sanitize-');
}

function describe(sight: SimulatedSight | undefined): string {
  return sight ? `${sight.node} (${sight.what.kind}) of ${sight.environment}, ${sight.state}` : 'nothing';
}

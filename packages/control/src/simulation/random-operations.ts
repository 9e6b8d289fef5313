import type { RefResult } from '@coppice/git';
import type { GitId } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { RunningControlPlane } from '../create-control-plane.ts';
import { branchOf, refOfBranch } from '../push/push-refs.ts';
import { branches, type DataOperationKind, DataOperations, dataWeights } from './data-operations.ts';
import type { DataWatch } from './data-watch.ts';
import { brokenShop, changedShop, changesData, lostNodes, randomShop, resizedShop, type Shop, shopFiles } from './random-shop.ts';
import type { SeededRandom } from './seeded-random.ts';
import { noCommit, type SimulatedServer } from './simulated-server.ts';
import type { Turns } from './turns.ts';
import type { WorldWatch } from './world-watch.ts';

/** How often each operation comes, by weight. A new one gets a line here and a case in `begin`. */
const weights = {
  push: 8,
  branch: 3,
  resize: 2,
  break: 4,
  revert: 2,
  redeploy: 1,
  deleteBranch: 1.5,
  cancel: 1.5,
  suspend: 1.5,
  resume: 1,
  request: 1,
  crashInstance: 2,
  removeByHand: 1.5,
  engineAway: 0.7,
  planeKilled: 1,
} as const;

export type OperationKind = keyof typeof weights | DataOperationKind;

/** What people do to the control plane, and chance to the world. */
export class RandomOperations {
  readonly counts: Partial<Record<OperationKind, number>> = {};
  readonly #server: SimulatedServer;
  readonly #random: SeededRandom;
  readonly #turns: Turns;
  readonly #watch: WorldWatch;
  readonly #data: DataWatch;
  /** Commits that were pushed without waiting: their refs moved before their releases served, and stay where those never do. */
  readonly unawaited = new Set<string>();
  /** What was pushed last, by ref. */
  readonly #shops = new Map<string, Shop>();
  readonly #shopOf = new Map<string, Shop>();
  readonly #dataOperations: DataOperations;
  /** Requests of people that were not answered yet; those of a control plane that was killed are nobody's. */
  #open = new Set<string>();

  constructor(parts: {
    readonly server: SimulatedServer;
    readonly random: SeededRandom;
    readonly turns: Turns;
    readonly watch: WorldWatch;
    readonly data: DataWatch;
  }) {
    this.#server = parts.server;
    this.#random = parts.random;
    this.#turns = parts.turns;
    this.#watch = parts.watch;
    this.#data = parts.data;
    this.#dataOperations = new DataOperations(parts);
  }

  /** Backups whose ids people were told. */
  get promised(): ReadonlySet<string> {
    return this.#dataOperations.promised;
  }

  get total(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  /** Those who wait for an answer. */
  get open(): readonly string[] {
    return [...this.#open];
  }

  /** Nobody hears of what a control plane that was killed was asked. */
  hangUp(): void {
    this.#open = new Set();
  }

  /** Begins one; answers which. `plane`: the one that lives, if any. */
  begin(plane: RunningControlPlane | undefined): OperationKind {
    // Where there is nothing yet, most others would do nothing.
    const isEmpty = this.#server.repository.refs.size === 0 && this.#open.size === 0;
    const kind = isEmpty && plane ? 'push' : this.#random.weighted({ ...weights, ...this.#dataOperations.weights() });
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    this.#turns.note(`— ${kind}`);
    if (plane) this.#ask(kind, plane);
    if (kind === 'crashInstance' || kind === 'removeByHand') this.#harm(kind);
    return kind;
  }

  /** Ends a job that runs until it is told to; false where none does. */
  endJob(): boolean {
    const job = this.#server.engine.containers().find(({ what, state }) => what.kind === 'job' && state === 'running');
    if (!job) return false;
    this.#turns.note(`— the job of ${job.node} ends`);
    this.#server.engine.crash(job.id, { exitCode: 0 });
    this.#watch.look();
    this.#data.look();
    return true;
  }

  #ask(kind: OperationKind, plane: RunningControlPlane): void {
    const refs = [...this.#server.repository.refs.keys()];
    const { control } = plane;
    switch (kind) {
      case 'push':
        this.#push(plane, this.#random.chance(0.7) && refs.length > 0 ? this.#random.pick(refs) : refOfBranch('main'), changedShop);
        return;
      case 'resize':
        this.#push(plane, refs.length > 0 ? this.#random.pick(refs) : refOfBranch('main'), resizedShop);
        return;
      case 'break':
        this.#push(plane, refs.length > 0 ? this.#random.pick(refs) : refOfBranch('main'), brokenShop);
        return;
      case 'branch':
        this.#push(plane, refOfBranch(this.#random.pick(branches)), changedShop);
        return;
      case 'deleteBranch':
        this.#delete(plane, refs);
        return;
      case 'revert':
        this.#revert(plane);
        return;
      case 'redeploy':
        this.#onEnvironment(async ({ name }) => await control.redeploy('shop', name, { actor: 'ada', refresh: this.#random.chance(0.3) }));
        return;
      case 'suspend':
        this.#onEnvironment(async ({ name }) => await control.suspend('shop', name, 'ada'));
        return;
      case 'resume':
        this.#onEnvironment(async ({ name }) => await control.resume('shop', name, 'ada'));
        return;
      case 'request':
        this.#onEnvironment(async ({ name }) => void this.#server.router.request(`${name}.shop.localhost`));
        return;
      case 'cancel': {
        const running = this.#server.ports.store.activities.list({ state: 'running' });
        if (running.length > 0) void control.cancelActivity(this.#random.pick(running).id, 'ada').catch(() => undefined);
        return;
      }
      default:
        if (isOfData(kind)) this.#askAboutData(kind, plane);
    }
  }

  #push(plane: RunningControlPlane, ref: string, change: (shop: Shop, random: SeededRandom) => Shop): void {
    const { repository } = this.#server;
    const previous = repository.refs.get(ref);
    const known = this.#shops.get(ref) ?? (this.#shops.size > 0 ? this.#random.pick([...this.#shops.values()]) : undefined);
    const shop = known ? change(known, this.#random) : randomShop(this.#random);
    this.#shops.set(ref, shop);
    const { file, folders } = shopFiles(shop);
    const next = repository.commit(file, previous ? [previous] : [], folders);
    this.#shopOf.set(next, shop);
    const options = [...(this.#random.chance(0.15) ? ['no-wait'] : []), ...this.#dataOptions(ref, shop)];
    if (options.includes('no-wait')) this.unawaited.add(next);
    this.#answerTo(
      `push of ${next.slice(0, 7)} to ${ref}`,
      this.#server.push(plane, { previous: previous ?? noCommit, next, options, ref }),
      (result) => this.#judgePush(ref, next, result),
    );
  }

  /** What a push says of data; notes where it changes some. */
  #dataOptions(ref: string, shop: Shop): readonly string[] {
    const { environments, deployments } = this.#server.ports.store;
    const environment = environments.findByBranch('shop', branchOf({ ref }));
    const live = environment?.live && deployments.get(environment.live);
    const served = live && this.#shopOf.get(live.commit);
    if (environment && (!served || changesData(served, shop))) this.#data.mayChange(environment.id);
    const lost = served && this.#random.chance(0.7) ? lostNodes(served, shop) : [];
    const fresh = environment === undefined && this.#random.chance(0.15) ? ['no-clone'] : [];
    return [...lost.map((node) => `allow-destroy=${node}`), ...fresh];
  }

  #judgePush(ref: string, next: GitId, result: RefResult | undefined): void {
    const moved = this.#server.repository.moves.some((move) => move.ref === ref && move.next === next);
    const accepted = result?.kind === 'ok';
    if (accepted === moved) return;
    const detail = accepted
      ? `${ref} was accepted and is not at ${next.slice(0, 7)}`
      : `${ref} was refused and moved to ${next.slice(0, 7)}`;
    this.#watch.violate('an accepted push moved its ref, a refused one did not', detail);
  }

  #delete(plane: RunningControlPlane, refs: readonly string[]): void {
    if (refs.length === 0) return;
    const ref = this.#random.pick(refs);
    const previous = this.#server.repository.refs.get(ref) ?? noCommit;
    const environment = this.#server.ports.store.environments.findByBranch('shop', branchOf({ ref }));
    if (environment && this.#random.chance(0.3)) {
      this.#answerTo(`deletion of ${ref} by command`, plane.control.deleteEnvironment('shop', environment.name, 'ada'));
      return;
    }
    const since = this.#server.repository.moves.length;
    this.#answerTo(`deletion of ${ref}`, this.#server.push(plane, { previous, next: noCommit, ref }), (result) => {
      const moves = this.#server.repository.moves.slice(since);
      const gone = moves.some((move) => move.ref === ref && move.next === noCommit);
      if (result?.kind !== 'ok' || gone) return;
      this.#watch.violate('an accepted push moved its ref, a refused one did not', `${ref} is there although its deletion was accepted`);
    });
  }

  #revert(plane: RunningControlPlane): void {
    this.#onEnvironment(async ({ id, name }) => {
      const served = this.#server.ports.store.deployments.list(id).filter(({ status }) => status === 'succeeded');
      if (served.length === 0) return;
      this.#data.mayChange(id);
      await plane.control.revert('shop', this.#random.pick(served).id, { actor: 'ada', environment: name, withData: false });
    });
  }

  #askAboutData(kind: DataOperationKind, { control }: RunningControlPlane): void {
    const question = this.#dataOperations.question(kind);
    if (question) this.#answerTo(question.what, question.ask(control));
  }

  #onEnvironment(work: (environment: EnvironmentRecord) => Promise<unknown>): void {
    const environments = this.#server.ports.store.environments.list('shop');
    if (environments.length > 0) void work(this.#random.pick(environments)).catch(() => undefined);
  }

  #answerTo<Answer>(what: string, asked: Promise<Answer>, judge: (answer: Answer) => void = () => undefined): void {
    const open = this.#open.add(what);
    const isHeard = (): boolean => open.delete(what) && open === this.#open;
    asked.then(
      (answer) => {
        if (!isHeard()) return;
        this.#turns.note(`— ${what} is answered: ${JSON.stringify(answer)}`);
        judge(answer);
      },
      (error: unknown) => {
        if (!isHeard()) return;
        this.#turns.note(`— ${what} fails: ${error instanceof Error ? error.message : String(error)}`);
      },
    );
  }

  /** An instance crashes by itself, or somebody removes it by hand. */
  #harm(kind: 'crashInstance' | 'removeByHand'): void {
    const { engine } = this.#server;
    const instances = engine.containers().filter(({ what, state }) => what.kind === 'instance' && state === 'running');
    if (instances.length === 0) return;
    const victim = this.#random.pick(instances);
    this.#watch.hurt(victim);
    if (kind === 'crashInstance') engine.crash(victim.id, { exitCode: 1, outOfMemory: this.#random.chance(0.2) });
    else engine.vanish(victim.id);
    this.#watch.look();
  }
}

function isOfData(kind: OperationKind): kind is DataOperationKind {
  return kind in dataWeights;
}

import { engineEffects, type SimulatedEffect } from '@coppice/engine';
import { CoppiceError, type EnvironmentId, type ErrorCode } from '@coppice/model';
import { volumeEffects } from '@coppice/volumes';
import type { Ports } from '../ports.ts';
import type { Faults } from './faults.ts';
import { neverAgain } from './never.ts';
import type { Turns } from './turns.ts';

type PortName = 'engine' | 'volumes' | 'router' | 'repository' | 'images';

/** Calls that change the world. Those of the engine consist of effects, each of which the engine shows by itself. */
const writes: Readonly<Record<PortName, ReadonlySet<string>>> = {
  engine: new Set(engineEffects),
  volumes: new Set(volumeEffects),
  router: new Set(['apply', 'remove']),
  repository: new Set(['updateRefs', 'appendNote', 'commitTree']),
  images: new Set(['build']),
};

/** Streams, values, and what only waits: given as they are. */
const untouched = new Set(['hints', 'logs', 'attach', 'wakes', 'path', 'driver', 'address', 'objects', 'capabilities', 'waitJob', 'hold']);

const failureCodes: Readonly<Record<PortName, ErrorCode>> = {
  engine: 'engine-unreachable',
  volumes: 'volume-failed',
  router: 'router-failed',
  repository: 'git-failed',
  images: 'build-failed',
};

const storeWrites = new Set(['create', 'setDesired', 'setLive', 'setPhase', 'delete', 'update', 'recordJob', 'resolve', 'obtain']);

/** What a life tells of what it does to the world. */
export interface LifeWatch {
  /** The world changed just now, by this call. Throws where that breaks an invariant. */
  readonly changed: (call: { readonly port: PortName; readonly name: string; readonly input: readonly unknown[] }) => void;
  /** A listing that is not true was answered. */
  readonly misled: () => void;
  /** Something was written to the store. */
  readonly wrote: (what: string) => void;
}

/**
 * One life of a control plane in a random history, over ports that outlive it: each call waits for its turn, may fail, may be done without
 * an answer or be done twice, and at any moment the life may end. Then no call of it reaches the world or comes back.
 */
export class RandomLife {
  dead = false;
  #moments = 0;
  #endsAt: number;
  readonly #turns: Turns;
  readonly #faults: Faults;
  readonly #watch: LifeWatch;
  readonly #onEnd: () => void;
  readonly #listings = new Map<string, unknown>();

  constructor(parts: {
    /** The moment (before or after an effect, or at a write to the store) at which it is killed. */
    readonly endsAt: number;
    readonly turns: Turns;
    readonly faults: Faults;
    readonly watch: LifeWatch;
    /** Called when it is killed. */
    readonly onEnd: () => void;
  }) {
    this.#endsAt = parts.endsAt;
    this.#turns = parts.turns;
    this.#faults = parts.faults;
    this.#watch = parts.watch;
    this.#onEnd = parts.onEnd;
  }

  /** The seam of the engine, through which each of its effects goes. */
  readonly onEffect = async (effect: SimulatedEffect, moment: 'before' | 'after'): Promise<void> => {
    const what = `${effect.kind} ${effect.environment ?? ''} ${effect.what}`;
    if (moment === 'before') {
      await this.#turn(what);
      await this.#mayEnd();
      if (this.#faults.refuses()) throw this.#failure('engine', `${what} was refused`);
      return;
    }
    this.#watch.changed({ port: 'engine', name: effect.kind, input: [effect.environment] });
    await this.#mayEnd();
    if (this.#faults.losesAnswer()) throw this.#failure('engine', `the answer to ${what} was lost`);
  };

  /** Between the two halves of a replacement of data. */
  readonly onHalf = async (environment: EnvironmentId): Promise<void> => {
    const what = `half of the replacement of ${environment}`;
    await this.#turn(what);
    await this.#mayEnd();
    if (this.#faults.refuses()) throw this.#failure('volumes', `the other ${what} was refused`);
  };

  /** Lets it live as long as it likes. */
  spare(): void {
    this.#endsAt = Number.POSITIVE_INFINITY;
  }

  /** Ends it now. */
  end(): void {
    if (this.dead) return;
    this.dead = true;
    this.#turns.note('— killed');
    this.#onEnd();
  }

  /** The ports as this life sees them. */
  ports(ports: Ports): Ports {
    const { repositories } = ports;
    return {
      ...ports,
      engine: this.#mortal('engine', ports.engine),
      volumes: this.#mortal('volumes', ports.volumes),
      router: this.#mortal('router', ports.router),
      images: this.#mortal('images', ports.images),
      repositories: { ...repositories, open: (project) => this.#mortal('repository', repositories.open(project)) },
      store: this.#mortalStore(ports.store),
    };
  }

  #mortal<Port extends object>(port: PortName, target: Port): Port {
    return new Proxy(target, {
      get: (_, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function' || typeof name !== 'string' || untouched.has(name)) return method;
        const isWrite = writes[port].has(name);
        return async (...input: readonly unknown[]): Promise<unknown> => {
          const call = { port, name, input, run: async () => (await Reflect.apply(method, target, input)) as unknown };
          const result = isWrite ? await this.#write(call) : await this.#read(call);
          return this.dead ? await neverAgain() : result;
        };
      },
    });
  }

  async #write(call: Call): Promise<unknown> {
    const { port, name, input } = call;
    const what = `${port}.${name} ${wordsOf(input)}`;
    await this.#turn(what);
    // The engine's effects come through its own seam.
    if (port === 'engine') return await this.#run(call);
    await this.#mayEnd();
    if (this.#faults.refuses()) throw this.#failure(port, `${what} was refused`);
    const result = await this.#run(call);
    this.#watch.changed({ port, name, input });
    await this.#mayEnd();
    if (this.#faults.losesAnswer()) throw this.#failure(port, `the answer to ${what} was lost`);
    return result;
  }

  /** Does it, now and then twice, as a client does that repeats what it got no answer to. */
  async #run({ port, run }: Call): Promise<unknown> {
    const first = await run();
    return !this.dead && port !== 'repository' && this.#faults.repeats() ? await run() : first;
  }

  async #read({ port, name, input, run }: Call): Promise<unknown> {
    const what = `${port}.${name} ${wordsOf(input)}`;
    await this.#turn(what);
    if (name !== 'probe' && name !== 'exec' && this.#faults.readFails()) throw this.#failure(port, `${what} failed`);
    if (port !== 'engine' || (name !== 'inspect' && name !== 'members')) return await run();
    const key = `${name} ${String(input[0])}`;
    const before = this.#listings.get(key);
    const fault = this.#faults.listing();
    if (fault !== 'none' && (fault === 'empty' || before !== undefined)) {
      this.#turns.note(`${fault} listing`);
      this.#watch.misled();
      return fault === 'empty' ? { network: false, generations: [], jobs: [] } : structuredClone(before);
    }
    const now = await run();
    if (this.#faults.mayMislead) this.#listings.set(key, structuredClone(now));
    return now;
  }

  async #turn(what: string): Promise<void> {
    if (this.dead) await neverAgain();
    await this.#turns.take(what);
    if (this.dead) await neverAgain();
  }

  async #mayEnd(): Promise<void> {
    this.#moments += 1;
    if (this.#moments >= this.#endsAt) this.end();
    if (this.dead) await neverAgain();
  }

  #failure(port: PortName, text: string): CoppiceError {
    this.#turns.note(`✗ ${text}`);
    return new CoppiceError(failureCodes[port], `simulated: ${text}`);
  }

  /** The dead write nothing: a kill in a transaction undoes it, and what their timers still would is dropped. */
  #mortalStore<Part extends object>(part: Part): Part {
    const methods = new Map<string | symbol, unknown>();
    return new Proxy(part, {
      get: (from, name) => {
        if (!methods.has(name)) methods.set(name, this.#mortalMember(from, name));
        return methods.get(name);
      },
    });
  }

  #mortalMember(from: object, name: string | symbol): unknown {
    const value: unknown = Reflect.get(from, name);
    if (typeof value === 'object' && value !== null) return this.#mortalStore(value);
    if (typeof value !== 'function') return value;
    const writes = storeWrites.has(String(name));
    return (...input: readonly unknown[]): unknown => {
      if (this.dead) return [];
      if (writes) this.#writeStore(String(name));
      return Reflect.apply(value, from, input);
    };
  }

  #writeStore(name: string): void {
    this.#moments += 1;
    this.#watch.wrote(name);
    if (this.#moments < this.#endsAt) return;
    this.end();
    throw new CoppiceError('state-failed', killedText);
  }
}

const killedText = 'simulated: killed before this write';

/** Whether `error` stands for a kill at a write to the store. */
export function isKill(error: unknown): boolean {
  return error instanceof Error && error.message === killedText;
}

interface Call {
  readonly port: PortName;
  readonly name: string;
  readonly input: readonly unknown[];
  readonly run: () => Promise<unknown>;
}

/** What a call is about, in words that a trace can be compared by. */
function wordsOf(input: readonly unknown[]): string {
  return input.map(wordOf).join(' ');
}

function wordOf(value: unknown): string {
  if (typeof value === 'string') return value.slice(-20);
  if (Array.isArray(value)) return wordsOf(value);
  if (typeof value !== 'object' || value === null) return '';
  const { environment, node, digest, ref, next, hook, id, from, to, aside } = value as Readonly<Record<string, string | EnvironmentId>>;
  const words = [environment, node, digest?.slice(7, 12), hook, ref, next?.slice(0, 7), id, from, to, aside];
  return words.filter((word) => typeof word === 'string').join(' ');
}

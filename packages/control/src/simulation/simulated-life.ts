import type { OnEffect } from '@coppice/engine';
import type { Store } from '@coppice/state';
import { volumeEffects } from '@coppice/volumes';
import type { Ports } from '../ports.ts';

/** One life of a control plane over ports that outlive it. Once it has ended, no call of its reaches the world or comes back. */
export class SimulatedLife {
  dead = false;
  #seen = 0;
  readonly #endsAt: number;

  /** `endsAt`: the count of moments (before and after each effect) at which it is killed. */
  constructor(endsAt: number) {
    this.#endsAt = endsAt;
  }

  readonly onEffect: OnEffect = async () => {
    this.#seen += 1;
    if (this.#seen >= this.#endsAt) this.dead = true;
    if (this.dead) await never();
  };

  /** The ports as this life sees them. */
  ports(ports: Ports): Ports {
    const repositories = {
      ...ports.repositories,
      open: (project: string) => this.#mortal(ports.repositories.open(project), ['updateRefs', 'appendNote']),
    };
    return {
      ...ports,
      engine: this.#mortal(ports.engine, []),
      volumes: this.#mortal(ports.volumes, volumeEffects),
      router: this.#mortal(ports.router, ['apply', 'remove']),
      repositories,
      store: this.#forgotten(ports.store),
    };
  }

  /** `effects`: methods that change the world, and at which it may be killed. */
  #mortal<Port extends object>(port: Port, effects: readonly (keyof Port)[]): Port {
    return new Proxy(port, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function' || name === 'hints' || name === 'path' || name === 'logs') return method;
        return async (...input: readonly unknown[]) => {
          if (this.dead) await never();
          const isEffect = effects.some((effect) => effect === name);
          if (isEffect) await this.onEffect({ kind: 'pull-image', environment: undefined, what: String(name) }, 'before');
          const result: unknown = await Reflect.apply(method, target, input);
          if (isEffect) await this.onEffect({ kind: 'pull-image', environment: undefined, what: String(name) }, 'after');
          if (this.dead) await never();
          return result;
        };
      },
    });
  }

  /** The dead write nothing: what their timers still would is dropped. */
  #forgotten(store: Store): Store {
    const part = <Part extends object>(target: Part): Part =>
      new Proxy(target, {
        get: (from, name) => {
          const value: unknown = Reflect.get(from, name);
          if (typeof value === 'object' && value !== null) return part(value);
          if (typeof value !== 'function') return value;
          return (...input: readonly unknown[]): unknown => (this.dead ? [] : Reflect.apply(value, from, input));
        },
      });
    return part(store);
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

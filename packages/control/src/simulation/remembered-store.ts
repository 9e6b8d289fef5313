import type { Store } from '@coppice/state';

/** Questions whose answer only a write to the same part of the store can change. */
const questions = new Set(['get', 'list', 'listProject', 'find', 'findByBranch', 'findByName', 'specOf', 'resolved', 'jobs', 'values']);
/** Questions whose answer stays while nothing is deleted. The last two write at first. */
const lasting = new Set(['getSpec', 'addressOffset', 'obtain']);
/** Writes that no question above asks for, and questions that are not worth it. */
const unasked = new Set([
  'newId',
  'keyedHash',
  'changedSince',
  'lastRevision',
  'append',
  'addPlan',
  'log',
  'plans',
  'transaction',
  'close',
]);

/**
 * A store that remembers what it answered until something is written: the same answers for a third of the time, since a history asks far
 * more than it writes. All who write must go through it.
 */
export function rememberedStore(store: Store): Store {
  return new RememberedStore().part(store, '');
}

class RememberedStore {
  readonly #known = new Map<string, Map<string, unknown>>();

  part<Part extends object>(target: Part, path: string): Part {
    const members = new Map<string | symbol, unknown>();
    return new Proxy(target, {
      get: (from, name) => {
        if (!members.has(name)) members.set(name, this.#member(from, path, String(name)));
        return members.get(name);
      },
    });
  }

  #member(from: object, path: string, name: string): unknown {
    const value: unknown = Reflect.get(from, name);
    if (typeof value === 'object' && value !== null) return this.part(value, name);
    if (typeof value !== 'function') return value;
    const ask = (input: readonly unknown[]): unknown => this.#undoing(() => Reflect.apply(value, from, input));
    if (lasting.has(name)) return this.#answering({ group: `lasting ${path}`, name, ask, writes: name !== 'getSpec' ? path : undefined });
    if (questions.has(name)) return this.#answering({ group: path, name, ask, writes: undefined });
    if (unasked.has(name)) return (...input: readonly unknown[]) => ask(input);
    return (...input: readonly unknown[]) => {
      if (name === 'delete') this.#known.clear();
      else this.#known.delete(path);
      return ask(input);
    };
  }

  #answering(question: {
    readonly group: string;
    readonly name: string;
    readonly ask: (input: readonly unknown[]) => unknown;
    /** The part it may write to. */
    readonly writes: string | undefined;
  }): (...input: readonly unknown[]) => unknown {
    return (...input) => {
      const group = this.#known.get(question.group) ?? new Map<string, unknown>();
      const key = `${question.name} ${JSON.stringify(input)}`;
      if (group.has(key)) return group.get(key);
      const answer = question.ask(input);
      if (question.writes !== undefined) this.#known.delete(question.writes);
      group.set(key, answer);
      this.#known.set(question.group, group);
      return answer;
    };
  }

  /** What throws may have been undone. */
  #undoing(work: () => unknown): unknown {
    try {
      return work();
    } catch (error) {
      this.#known.clear();
      throw error;
    }
  }
}

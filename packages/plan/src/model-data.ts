import type { NodeName, ObservedEnvironment, SnapshotId, VolumeMove } from '@coppice/model';
import type { DataSwitch } from './data-change.ts';

/** What one volume of the model holds, told by a text. */
export interface ModelVolume {
  readonly node: string;
  readonly volume: string;
  readonly content: string;
}

/** The data of the model world: a set of volumes of a generation, and the copies that are kept. */
export class ModelData {
  #set: ModelVolume[];
  #generation: number | undefined;
  readonly #kept: Map<SnapshotId, readonly ModelVolume[]>;
  #made = 0;

  constructor(observed: ObservedEnvironment, kept: ReadonlyMap<SnapshotId, readonly ModelVolume[]>) {
    this.#set = observed.volumes.map(({ node, volume }) => ({ node, volume, content: `${node}'s ${volume} before` }));
    this.#generation = observed.dataGeneration ?? (this.#set.length > 0 ? 0 : undefined);
    this.#kept = new Map(kept);
  }

  get generation(): number | undefined {
    return this.#generation;
  }

  get volumes(): readonly ModelVolume[] {
    return this.#set;
  }

  /** All that any volume or kept copy holds. */
  contents(): ReadonlySet<string> {
    return new Set([...this.#set, ...[...this.#kept.values()].flat()].map(({ content }) => content));
  }

  kept(id: SnapshotId): readonly ModelVolume[] | undefined {
    return this.#kept.get(id);
  }

  observe(): Pick<ObservedEnvironment, 'volumes' | 'dataGeneration'> {
    return { volumes: this.#set.map(({ node, volume }) => ({ node: node as NodeName, volume })), dataGeneration: this.#generation };
  }

  has(node: string, volume: string): boolean {
    return this.#set.some((other) => other.node === node && other.volume === volume);
  }

  ensure(node: string, volume: string): void {
    this.#generation ??= 0;
    if (this.has(node, volume)) return;
    this.#made += 1;
    this.#set.push({ node, volume, content: `made ${this.#made}` });
  }

  replace({ generation, from, keep, aside }: DataSwitch): void {
    if (this.#generation === generation) return;
    const copy = this.#kept.get(from);
    if (!copy) throw new Error(`there is no copy ${from}`);
    if (this.#generation !== undefined) this.#keep(aside);
    if (!keep) this.#kept.delete(from);
    this.#set = [...copy];
    this.#generation = generation;
  }

  /** Renames one after the other; answers those that were done. */
  move(moves: readonly VolumeMove[]): readonly VolumeMove[] {
    const done = this.pending(moves);
    for (const { from, to } of done) this.#set = this.#set.map((each) => (each.node === from ? { ...each, node: to } : each));
    return done;
  }

  /** Those that would be done. */
  pending(moves: readonly VolumeMove[]): readonly VolumeMove[] {
    const nodes = new Set(this.#set.map(({ node }) => node));
    return moves.filter(({ from, to }) => nodes.has(from) && !nodes.has(to) && nodes.delete(from) && nodes.add(to));
  }

  remove(keepAs: SnapshotId | undefined): void {
    if (keepAs && this.#generation !== undefined) this.#keep(keepAs);
    this.#set = [];
    this.#generation = undefined;
  }

  #keep(id: SnapshotId): void {
    if (this.#kept.has(id)) throw new Error(`${id} is taken`);
    this.#kept.set(id, this.#set);
  }
}

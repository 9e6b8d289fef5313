import type { SeedResult } from './seed-thread.ts';

/** Sums up the results of many seeds, for people. */
export class SeedReport {
  #seeds = 0;
  #effects = 0;
  #kills = 0;
  readonly #operations = new Map<string, number>();
  readonly #succeeded = new Map<string, number>();
  readonly #data = new Map<string, number>();
  readonly #faults = new Map<string, number>();
  readonly #failures = new Map<string, { readonly seeds: number[]; readonly detail: string }>();

  add({ seed, effects, kills, operations, succeeded, data, faults, violations }: SeedResult): void {
    this.#seeds += 1;
    this.#effects += effects;
    this.#kills += kills;
    add(this.#operations, operations);
    add(this.#succeeded, succeeded);
    add(this.#data, data);
    add(this.#faults, faults);
    for (const { invariant, detail } of violations) {
      const known = this.#failures.get(invariant);
      if (known) known.seeds.push(seed);
      else this.#failures.set(invariant, { seeds: [seed], detail });
    }
  }

  /** Seeds in which something did not hold. */
  get failed(): number {
    return [...this.#failures.values()].reduce((sum, { seeds }) => sum + seeds.length, 0);
  }

  /** What was done, a line each; then each invariant that did not hold, with the command that replays its first seed. */
  lines(): readonly string[] {
    const operations = [...this.#operations.values()].reduce((sum, count) => sum + count, 0);
    const failures = [...this.#failures].flatMap(([invariant, { seeds, detail }]) => [
      `✖ ${invariant}: ${seeds.length} of ${this.#seeds} seeds (${seeds.slice(0, 10).join(', ')}${seeds.length > 10 ? ', …' : ''})`,
      `    ${detail}`,
      `    replay it: npm run simulate -- --seed ${seeds[0]}`,
    ]);
    return [
      `${this.#seeds} seeds, ${this.#effects} effects, ${operations} operations, ${this.#kills} kills of the control plane`,
      `operations: ${listed(this.#operations)}`,
      `activities that succeeded: ${listed(this.#succeeded)}`,
      `changes of data: ${listed(this.#data)}`,
      `faults: ${listed(this.#faults)}`,
      ...failures,
    ];
  }
}

function add(sums: Map<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [kind, count] of Object.entries(counts)) sums.set(kind, (sums.get(kind) ?? 0) + count);
}

function listed(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([kind, count]) => `${kind} ${count}`).join(', ');
}

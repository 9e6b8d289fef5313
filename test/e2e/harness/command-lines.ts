import { readdirSync, readFileSync } from 'node:fs';

/** The command lines of all processes of the machine now, those in containers too. */
export function commandLines(): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
      } catch {
        // it ended while we looked
        return [];
      }
    });
}

/** Collects command lines again and again until it is stopped: what runs for a moment only is mostly seen too. */
export class CommandLineWatch {
  readonly #seen = new Set<string>();
  readonly #timer = setInterval(() => this.#look(), 25);

  stop(): readonly string[] {
    clearInterval(this.#timer);
    this.#look();
    return [...this.#seen];
  }

  #look(): void {
    for (const line of commandLines()) this.#seen.add(line);
  }
}

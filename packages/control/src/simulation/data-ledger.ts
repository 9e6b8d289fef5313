import type { NodeTrace } from '@coppice/model';

/** Who wrote last, as the node's release has it. */
export type Writer = Pick<NodeTrace, 'type' | 'version'>;

interface Writing {
  /** What was there before; '' for nothing. */
  readonly previous: string;
  readonly by: Writer;
}

/** What volumes hold in the simulation: each content is the one before it and one more write, so that of two it can be told which came from which. */
export class DataLedger {
  readonly #writings = new Map<string, Writing>();

  /** Another content, made of the one that is there by one more write. */
  write(previous: string, { type, version }: Writer): string {
    const content = `w${this.#writings.size + 1}`;
    this.#writings.set(content, { previous, by: { type, version } });
    return content;
  }

  /** Undefined where nobody has written yet. */
  writerOf(content: string): Writer | undefined {
    return this.#writings.get(content)?.by;
  }

  /** The content and all that it was before, latest first. */
  *historyOf(content: string): Iterable<string> {
    for (let each = content; each !== ''; each = this.#writings.get(each)?.previous ?? '') yield each;
  }

  /** Whether all that was written to `earlier` is in `content`. */
  holds(content: string, earlier: string): boolean {
    for (const each of this.historyOf(content)) if (each === earlier) return true;
    return false;
  }
}

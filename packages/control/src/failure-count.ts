import { type ErrorCode, isCoppiceError } from '@coppice/model';
import type { Ports } from './ports.ts';

/** Counts failures by code, each once: the one that an activity ends with is often also a push's answer. */
export class FailureCount {
  readonly #ports: Pick<Ports, 'measure'>;
  readonly #counted = new WeakSet<object>();

  constructor(ports: Pick<Ports, 'measure'>) {
    this.#ports = ports;
  }

  /** Counts it, unless it or a cause of it was counted; `code` where it is known better than by the error. */
  add(error: unknown, code: ErrorCode = isCoppiceError(error) ? error.code : 'internal'): void {
    const chain = withCauses(error);
    const known = chain.some((link) => this.#counted.has(link));
    for (const link of chain) this.#counted.add(link);
    if (!known) this.#ports.measure?.({ kind: 'failure', code });
  }
}

function withCauses(error: unknown): readonly Error[] {
  const chain: Error[] = [];
  for (let link = error; link instanceof Error && !chain.includes(link); link = link.cause) chain.push(link);
  return chain;
}

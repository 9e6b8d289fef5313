import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How many requests may wait at holds, and how long; past each of them a request gets 503. */
export interface HoldLimits {
  /** Per environment. */
  readonly perEnvironment: number;
  /** At the whole router; at most half of the connections that it may have. */
  readonly inTotal: number;
  /** Milliseconds, by the cause of the hold. */
  readonly switchingMs: number;
  readonly suspendedMs: number;
}

export const defaultHoldLimits: HoldLimits = { perEnvironment: 1_000, inTotal: 10_000, switchingMs: 60_000, suspendedMs: 90_000 };

/** What HAProxy runs for a request at a hold. */
export interface HoldScript {
  /** Lua, copied beside the configuration so that HAProxy needs nothing of ours at run time. */
  readonly source: string;
  readonly limits: HoldLimits;
}

export const holdScriptFile = 'hold.lua';

/** The script of this version. */
export function holdScript(limits: HoldLimits): HoldScript {
  return { source: readFileSync(join(import.meta.dirname, holdScriptFile), 'utf8'), limits };
}

/** The action that holds a request, with its limits as arguments. */
export function holdAction({ limits }: HoldScript): string {
  return `lua.hold ${limits.perEnvironment} ${limits.inTotal} ${limits.switchingMs} ${limits.suspendedMs}`;
}

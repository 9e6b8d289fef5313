import type { StepKind } from '@coppice/plan';

const minuteMs = 60_000;

/** Far more than a step takes that goes well, hooks aside, which have a limit of their own: what is over it hangs. */
const limits: Readonly<Record<StepKind, number>> = {
  'create-network': 2 * minuteMs,
  'create-volumes': 2 * minuteMs,
  // Stopping at nothing else, a copy of files takes as long as there are files.
  'switch-data': 60 * minuteMs,
  'move-volumes': 2 * minuteMs,
  'copy-data': 10 * minuteMs,
  'pull-image': 20 * minuteMs,
  'run-job': 65 * minuteMs,
  start: 5 * minuteMs,
  provision: 5 * minuteMs,
  'await-ready': 30 * minuteMs,
  'switch-address': 2 * minuteMs,
  'hold-routes': 2 * minuteMs,
  'switch-routes': 2 * minuteMs,
  drain: 2 * minuteMs,
  stop: 15 * minuteMs,
  'remove-instances': 15 * minuteMs,
  resize: 2 * minuteMs,
  'remove-routes': 2 * minuteMs,
  'remove-network': 5 * minuteMs,
  'remove-volumes': 30 * minuteMs,
};

/** What changes data as a whole must not go on beside what comes after it: it is not given up on as soon as others are. */
const patient: ReadonlySet<StepKind> = new Set(['switch-data', 'move-volumes', 'remove-volumes']);

/** Milliseconds that a step which was told to end may still go on: `graceMs`, or once more its limit. */
export function stepGraceMs(kind: StepKind, { limitMs, graceMs }: { readonly limitMs: number; readonly graceMs: number }): number {
  return patient.has(kind) ? Math.max(limitMs, graceMs) : graceMs;
}

/** Milliseconds that a step of this kind may take. */
export function stepLimitMs(kind: StepKind): number {
  return limits[kind];
}

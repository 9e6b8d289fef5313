import type { Digest, EnvironmentId, NodeName } from '@coppice/model';
import type { ExecResult, ExecSpec } from '../engine.ts';

/** How the processes of a node behave in the simulation. What is left out: it runs until it is stopped, and is ready at the first probe. */
export interface SimulatedBehaviour {
  /** Probes (commands run inside it, or `SimulatedEngine.probe`) that fail before the first that succeeds; Infinity: never ready. */
  readonly readyAfterProbes?: number;
  /** Ends by itself as soon as it was started. */
  readonly exits?: { readonly exitCode: number; readonly outOfMemory?: boolean };
  /** What it prints at its start. */
  readonly prints?: readonly string[];
  /** Cannot be started at all, with these words. */
  readonly startFails?: string;
  /** Answers commands; without it, a command succeeds when the instance is ready and fails with 1 when not. */
  readonly exec?: (command: ExecSpec) => ExecResult;
}

/** A container of the simulated world as nobody but a test sees it: those of others, too. */
export interface SimulatedSight {
  readonly id: string;
  readonly environment: EnvironmentId;
  readonly node: NodeName;
  readonly what:
    | { readonly kind: 'instance'; readonly digest: Digest; readonly index: number }
    | { readonly kind: 'job'; readonly hook: string }
    | { readonly kind: 'foreign' };
  readonly state: 'created' | 'running' | 'exited';
  /** Undefined before its end. */
  readonly exitCode: number | undefined;
  /** It runs, but its clock stands. */
  readonly frozen: boolean;
  /** It runs, and a probe of it has succeeded. */
  readonly ready: boolean;
  readonly hostPaths: readonly string[];
}

/** One change of the simulated world, as it is given to the seam. */
export interface SimulatedEffect {
  readonly kind:
    | 'pull-image'
    | 'remove-image'
    | 'create-network'
    | 'remove-network'
    | 'apply-policy'
    | 'create-container'
    | 'start-container'
    | 'resize-container'
    | 'freeze-container'
    | 'thaw-container'
    | 'stop-container'
    | 'remove-container';
  readonly environment: EnvironmentId | undefined;
  /** Node, and what of it: `web.0`, `web deploy`; the image's digest for a pull or its removal. */
  readonly what: string;
}

/**
 * Called before and after each effect. To throw before is a crash (or a failing engine) that left the world as it was; to throw after
 * is a lost answer, or a crash once it was done.
 */
export type OnEffect = (effect: SimulatedEffect, moment: 'before' | 'after') => void | Promise<void>;

/** What listings show: the world as it is, a failure, nothing at all, or the world as it was when this was set. */
export type ListingFault = 'none' | 'failing' | 'empty' | 'stale';

/** How an argv of the simulation behaves: `simulated` and a behaviour as JSON. Undefined for any other argv. */
export function behaviourOfArgv(argv: readonly string[]): SimulatedBehaviour | undefined {
  const [program, json] = argv;
  return program === 'simulated' && json !== undefined ? (JSON.parse(json) as SimulatedBehaviour) : undefined;
}

/** How what is started with an argv behaves; undefined: as was set for its node. */
export type BehaviourOf = (argv: readonly string[]) => SimulatedBehaviour | undefined;

/** An argv that behaves so, for tests that cannot name a node's behaviour. */
export function simulatedArgv(behaviour: Pick<SimulatedBehaviour, 'exits' | 'prints'>): readonly string[] {
  return ['simulated', JSON.stringify(behaviour)];
}

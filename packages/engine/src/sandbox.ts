import type { ImagePin } from '@coppice/model';

/**
 * Runs one build command without privileges, services or host in reach, with the network for package registries only.
 * Throws `build-limit` when a limit ends it; a command that fails is a result.
 */
export interface Sandbox {
  run(build: SandboxRun): Promise<SandboxResult>;
  /** Removes what a server that died left running. */
  sweep(): Promise<void>;
}

export interface SandboxRun {
  readonly image: ImagePin;
  readonly argv: readonly string[];
  /** `uid:gid` the command runs as; it owns what is mounted writable. */
  readonly user: string;
  readonly workingDirectory: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly mounts: readonly { readonly target: string; readonly hostPath: string; readonly readOnly: boolean }[];
  readonly limits: SandboxLimits;
  /** Called with output as it comes, whole lines. */
  readonly onOutput: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface SandboxLimits {
  readonly timeMs: number;
  readonly memoryBytes: number;
  readonly cpu: number;
  readonly processes: number;
  /** What it may print in all; more ends it. */
  readonly outputBytes: number;
}

export interface SandboxResult {
  readonly exitCode: number;
  readonly outOfMemory: boolean;
}

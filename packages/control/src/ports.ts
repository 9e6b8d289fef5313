import type { Catalog } from '@coppice/catalog';
import type { Engine } from '@coppice/engine';
import type { Repositories } from '@coppice/git';
import type { ImageBuilder, ImageGarbage } from '@coppice/images';
import type { TypeDirectory } from '@coppice/model';
import type { StepKind } from '@coppice/plan';
import type { Router } from '@coppice/router';
import type { Store } from '@coppice/state';
import type { Volumes } from '@coppice/volumes';
import type { RetentionSettings } from './data/configured-retention.ts';
import type { Measure } from './measurement.ts';
import type { TypeFiles } from './release/resolve-release.ts';

/** The outside world as the control plane sees it; only the composition root knows what is behind. */
export interface Ports {
  readonly store: Store;
  readonly engine: Engine;
  readonly volumes: Volumes;
  readonly router: Router;
  readonly repositories: Repositories;
  readonly images: ImageBuilder & ImageGarbage;
  /** Throws `limit-exceeded` where the disk has no room for another build; nobody looks where it is left out. */
  readonly refuseWithoutRoom?: () => Promise<void>;
  readonly catalog: Catalog;
  readonly types: TypeDirectory;
  readonly typeFiles: TypeFiles;
  readonly clock: Clock;
  readonly settings: Settings;
  /**
   * One structured line about the control plane itself. What was thrown goes into `error` as it is: whoever writes the line makes words of
   * it, with the stack where it is a defect, and takes the secrets out.
   */
  readonly log: (event: string, details?: Readonly<Record<string, unknown>>) => void;
  /** Counts and times of the control plane itself; nobody is told where it is left out. */
  readonly measure?: Measure;
}

export interface Clock {
  now(): Date;
  /** Milliseconds of a clock that never goes back. */
  monotonicMs(): number;
}

export interface Settings {
  /** Environments answer on `<environment>.<project>.<domain>`. */
  readonly domain: string;
  /** `host:port` people reach the router on. */
  readonly routerAddress: string;
  /** URL of the HTTP API without a trailing slash; git remotes lie below it. */
  readonly apiUrl: () => string;
  readonly maxEnvironments: number;
  /** The default where missing. */
  readonly retention?: RetentionSettings;
  /** How long a step of a plan may take, and how long what was told to end may go on; the executor's own where missing. */
  readonly stepLimits?: { readonly limitMs: (kind: StepKind) => number; readonly graceMs: number };
}

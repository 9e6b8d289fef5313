import type { ProbeSpec } from '@coppice/model';

/** What a file of `types/` holds, once it fits schemas/catalog.schema.json: what is left out there is optional here. */
export interface TypeFile {
  readonly name: string;
  readonly kind: 'application' | 'service';
  readonly user: { readonly name: string; readonly uid: number; readonly gid: number };
  readonly workingDirectory: string;
  readonly argv?: readonly string[];
  readonly webServer?: 'nginx';
  readonly capabilities?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly mounts?: readonly { readonly target: string; readonly volume: string; readonly exclusive: boolean }[];
  readonly endpoints: Readonly<
    Record<string, { readonly port: number; readonly scheme: string; readonly credentials?: boolean; readonly schemaPath?: boolean }>
  >;
  readonly defaultEndpoint: string;
  readonly readiness: { readonly probe: ProbeSpec; readonly everyMs: number; readonly withinMs: number };
  readonly provision?: { readonly argv: readonly string[]; readonly defaultSchemas: readonly string[] };
  readonly quiesce?: readonly string[];
  readonly stop: { readonly signal: string; readonly graceMs: number };
  /** Sizes as people write them: `256M`, `1G`. */
  readonly resources: { readonly cpu: number; readonly memory: string; readonly disk?: string };
  readonly variables?: Readonly<Record<string, string>>;
  readonly properties?: Readonly<Record<string, string>>;
  readonly build?: {
    readonly defaults: readonly {
      readonly when: string;
      readonly steps: readonly { readonly run: string; readonly inputs?: readonly string[] }[];
    }[];
    readonly caches?: Readonly<Record<string, string>>;
    readonly variables?: Readonly<Record<string, string>>;
  };
  readonly prepare?: readonly string[];
  readonly packages: readonly string[];
  readonly npm?: readonly {
    readonly package: string;
    readonly version: string;
    readonly target: string;
    readonly only?: readonly string[];
  }[];
  readonly setup?: readonly string[];
  readonly files?: Readonly<Record<string, { readonly content: string; readonly executable?: boolean }>>;
  readonly versions: readonly VersionRow[];
}

/** One version and the Debian release its packages come from. */
export interface VersionRow {
  readonly version: string;
  readonly debian: 'bullseye' | 'bookworm' | 'trixie';
  /** Put where strings name them in braces; by processor where they differ. */
  readonly values?: Readonly<Record<string, string | Readonly<Partial<Record<Processor, string>>>>>;
}

/** Processors as Node names them. */
export type Processor = 'x64' | 'arm64';

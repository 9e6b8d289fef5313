import type { NodeName } from './identifiers.ts';
import type { Resources } from './resources.ts';

/** What a commit declares after all defaults: a pure function of the commit's tree. Nodes and routes are sorted by name and URL. */
export interface Topology {
  readonly v: 1;
  readonly nodes: readonly TopologyNode[];
  readonly routes: readonly TopologyRoute[];
  readonly environments: readonly EnvironmentRule[];
  readonly data: DataPolicy;
  readonly backups: readonly BackupRule[];
  readonly nearestVersion: 'exact' | 'newer';
}

export type TopologyNode = ApplicationNode | WorkerNode | ServiceNode;

/** A type of the catalog at the version the file asks for; `version` is resolved later. */
export interface TypeReference {
  readonly name: string;
  readonly version: string;
}

/** Where an image comes from: a type of the catalog, an OCI reference with a digest, or a Dockerfile. */
export type NodeOrigin =
  | { readonly kind: 'type'; readonly type: TypeReference }
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'dockerfile'; readonly path: string };

/** What applications and workers share: how a process of theirs runs. */
interface RunningCode {
  readonly name: NodeName;
  readonly start: string | undefined;
  readonly preStart: string | undefined;
  readonly postStart: string | undefined;
  readonly relationships: readonly TopologyRelationship[];
  readonly mounts: readonly TopologyMount[];
  readonly variables: Readonly<Record<string, string>>;
  /** Undefined fields take the type's default. */
  readonly resources: Partial<Resources>;
  readonly instances: number;
  readonly healthcheck: Healthcheck;
  readonly stopGraceMs: number | undefined;
  /** Hosts and ports it may open connections to; undefined: everything outside but the host and other environments. */
  readonly firewall: readonly EgressRule[] | undefined;
}

/** Code of the repository that is built into an image and run. */
export interface ApplicationNode extends RunningCode {
  readonly kind: 'application';
  readonly origin: NodeOrigin;
  /** Folder of the repository, `.` for the root; no leading or trailing slash. */
  readonly sourceRoot: string;
  /** Undefined: the type's own steps. */
  readonly build: readonly BuildStep[] | undefined;
  /** Global packages by manager, e.g. `{ nodejs: { pnpm: "^9" } }`. */
  readonly dependencies: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** `build` runs after the steps, seeing all files; the others are jobs of a deployment. */
  readonly hooks: { readonly build: string | undefined; readonly deploy: string | undefined; readonly postDeploy: string | undefined };
  /** False where the application only runs jobs or workers: it then gets no default route and no PORT probe. */
  readonly web: WebServing;
  readonly crons: readonly Cron[];
  readonly access: Readonly<Record<string, string>>;
  readonly movedFrom: NodeName | undefined;
}

/** Another process of an application's image. Its name is `<application>--<worker>`. */
export interface WorkerNode extends RunningCode {
  readonly kind: 'worker';
  readonly application: NodeName;
}

/** Something the catalog provides: a database, a cache. */
export interface ServiceNode {
  readonly kind: 'service';
  readonly name: NodeName;
  readonly origin: NodeOrigin;
  readonly configuration: ServiceConfiguration;
  readonly relationships: readonly TopologyRelationship[];
  readonly resources: Partial<Resources>;
  /** A full version to hold on to, e.g. `15.10-0+deb12u1`. */
  readonly versionPin: string | undefined;
  readonly movedFrom: NodeName | undefined;
}

export interface ServiceConfiguration {
  /** Databases or the like to provision; empty: the type's default. */
  readonly schemas: readonly string[];
  readonly endpoints: Readonly<Record<string, ServiceEndpoint>>;
  /** Passed to the service's own configuration where the type allows the key. */
  readonly properties: Readonly<Record<string, string | number | boolean>>;
}

export interface ServiceEndpoint {
  readonly defaultSchema: string | undefined;
  readonly privileges: Readonly<Record<string, 'ro' | 'rw' | 'admin'>>;
}

/** `name` is how the dependant calls it; `node` the application or service it reaches. */
export interface TopologyRelationship {
  readonly name: string;
  readonly node: NodeName;
  readonly endpoint: string;
}

export interface TopologyMount {
  /** Relative to the application's folder, no leading slash. */
  readonly path: string;
  /** `storage`: kept, may be written by old and new at once; `instance`: kept, exclusive; `tmp`: gone with the instance. */
  readonly source: 'storage' | 'instance' | 'tmp';
  readonly sourcePath: string;
  readonly exclusive: boolean;
}

/** One command of a build. With `inputs` (paths or globs below the source root) it sees only those and is a layer of its own. */
export interface BuildStep {
  readonly run: string;
  readonly inputs: readonly string[] | undefined;
}

export interface Healthcheck {
  readonly path: string | undefined;
  readonly command: string | undefined;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

export interface WebServing {
  readonly enabled: boolean;
  readonly protocol: 'http';
  /** By URL prefix, e.g. `/`. Plain data as the file gives it after defaults. */
  readonly locations: Readonly<Record<string, WebLocation>>;
}

export interface WebLocation {
  /** Folder below the application's, or undefined. */
  readonly root: string | undefined;
  readonly index: readonly string[];
  /** True: to the application; a path: that file where nothing else is found; false: 404. */
  readonly passthru: boolean | string;
  /** Seconds a client may keep an answer; -1: nothing is said. */
  readonly expiresSeconds: number;
  readonly allow: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly rules: Readonly<Record<string, Partial<Omit<WebLocation, 'rules' | 'root' | 'index'>>>>;
}

export interface Cron {
  readonly name: string;
  readonly spec: string;
  readonly start: string;
  readonly timeoutMs: number;
  readonly wake: boolean;
}

/** `host` is an IPv4 CIDR block or a domain name. */
export interface EgressRule {
  readonly protocol: 'tcp' | 'udp';
  readonly hosts: readonly string[];
  readonly ports: readonly number[];
}

export type TopologyRoute = {
  /** With placeholders, e.g. `http(s)://{default}/`, normalised: scheme left as written, path ends with `/`. */
  readonly url: string;
  readonly id: string | undefined;
  readonly primary: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly access: RouteAccess | undefined;
} & (
  | { readonly kind: 'upstream'; readonly node: NodeName; readonly redirects: readonly PathRedirect[] }
  | { readonly kind: 'redirect'; readonly to: string; readonly code: 301 | 302 | 307 | 308 }
);

export interface PathRedirect {
  readonly path: string;
  readonly to: string;
  readonly code: 301 | 302 | 307 | 308;
  /** True: `path` is a prefix. */
  readonly prefix: boolean;
}

export interface RouteAccess {
  /** User name to password, as the file says; compared by the router. */
  readonly basicAuth: Readonly<Record<string, string>>;
  readonly addresses: readonly { readonly permission: 'allow' | 'deny'; readonly block: string }[];
}

/** What a branch gets; the first whose `match` fits wins. Undefined: nothing said. */
export interface EnvironmentRule {
  /** Glob over the branch: `*` within a segment, `**` across, `?` one character. */
  readonly match: string;
  readonly data: 'clone' | 'empty' | undefined;
  readonly suspendAfterMs: number | undefined;
  readonly resources: Readonly<Record<string, Partial<Resources>>>;
  readonly instances: Readonly<Record<string, number>>;
  readonly variables: Readonly<Record<string, string>>;
}

export interface DataPolicy {
  readonly sanitize: { readonly node: NodeName; readonly run: string; readonly timeoutMs: number } | undefined;
}

export interface BackupRule {
  readonly schedule: string;
  readonly keep: number;
}

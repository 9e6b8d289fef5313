/** The file as the schema lets it be, before defaults. Mirrors schemas/coppice.schema.json; only the schema decides. */
export interface RawFile {
  readonly applications?: Readonly<Record<string, RawApplication>> | null;
  readonly services?: Readonly<Record<string, string | RawService>> | null;
  readonly routes?: Readonly<Record<string, RawRoute>> | null;
  readonly environments?: readonly RawEnvironmentRule[] | null;
  readonly data?: { readonly sanitize?: { readonly node: string; readonly run: string; readonly timeout?: RawAmount } } | null;
  readonly backups?: readonly { readonly schedule: string; readonly keep?: number }[] | null;
  readonly catalog?: { readonly nearest?: 'exact' | 'newer' } | null;
}

export type RawScalar = string | number | boolean;
/** A duration or a size: text with a unit, or a bare number. */
export type RawAmount = string | number;
export type RawSource = 'storage' | 'instance' | 'tmp';
export type RawRedirectCode = 301 | 302 | 307 | 308;

export interface RawCommands {
  readonly pre_start?: string;
  readonly start?: string;
  readonly post_start?: string;
}

export interface RawVariables {
  readonly env?: Readonly<Record<string, RawScalar>> | null;
}

export interface RawResources {
  readonly cpu?: number;
  readonly memory?: RawAmount;
  readonly disk?: RawAmount;
  readonly size?: RawProfile;
}
export type RawProfile = 'AUTO' | 'S' | 'M' | 'L' | 'XL' | '2XL' | '4XL';

export interface RawSizes {
  readonly resources?: RawResources;
  readonly size?: RawProfile;
  readonly disk?: RawAmount;
}

export type RawRelationship = string | { readonly service: string; readonly endpoint?: string | null } | null;
export type RawRelationships = readonly string[] | Readonly<Record<string, RawRelationship>>;

export type RawMount = RawSource | { readonly source: RawSource; readonly source_path?: string; readonly exclusive?: boolean };

export interface RawHealthcheck {
  readonly path?: string;
  readonly command?: string;
  readonly interval?: RawAmount;
  readonly timeout?: RawAmount;
}

export interface RawFirewall {
  readonly outbound: readonly RawOutbound[] | null;
}

export interface RawOutbound {
  readonly protocol?: 'tcp' | 'udp';
  readonly ips?: readonly string[];
  readonly domains?: readonly string[];
  readonly ports?: readonly number[];
}

/** What applications and workers share. */
export interface RawRunning extends RawSizes {
  readonly start?: string;
  readonly variables?: RawVariables;
  readonly relationships?: RawRelationships | null;
  readonly mounts?: Readonly<Record<string, RawMount>> | null;
  readonly instances?: number;
  readonly healthcheck?: RawHealthcheck;
  readonly firewall?: RawFirewall;
  readonly stop_grace?: RawAmount;
}

export interface RawWorker extends RawRunning {
  readonly commands?: RawCommands;
}

export type RawBuildStep = string | { readonly run: string; readonly inputs?: readonly string[] };
export type RawBuild = string | readonly RawBuildStep[] | { readonly flavor?: string | null };

export interface RawApplication extends RawRunning {
  readonly type?: string;
  readonly image?: string;
  readonly dockerfile?: string;
  readonly source?: { readonly root?: string };
  readonly build?: RawBuild;
  readonly hooks?: { readonly build?: string | null; readonly deploy?: string | null; readonly post_deploy?: string | null };
  readonly dependencies?: Readonly<Record<string, Readonly<Record<string, RawScalar>>>>;
  readonly web?: RawWeb;
  readonly workers?: Readonly<Record<string, RawWorker>> | null;
  readonly crons?: Readonly<Record<string, RawCron>> | null;
  readonly access?: Readonly<Record<string, string>>;
  readonly moved?: { readonly from: string };
}

export interface RawWeb {
  readonly enabled?: boolean;
  readonly commands?: RawCommands;
  readonly locations?: Readonly<Record<string, RawLocation>>;
}

export interface RawRule {
  readonly passthru?: boolean | string;
  readonly expires?: RawAmount;
  readonly allow?: boolean;
  readonly headers?: Readonly<Record<string, RawScalar>>;
}

export interface RawLocation extends RawRule {
  readonly root?: string;
  readonly index?: readonly string[];
  readonly rules?: Readonly<Record<string, RawRule>>;
}

export interface RawCron {
  readonly spec: string;
  readonly commands: { readonly start: string };
  readonly timeout?: RawAmount;
  readonly wake?: boolean;
}

export interface RawService extends RawSizes {
  readonly type?: string;
  readonly image?: string;
  readonly configuration?: RawServiceConfiguration;
  readonly relationships?: RawRelationships | null;
  readonly version?: string | number;
  readonly moved?: { readonly from: string };
}

export interface RawServiceConfiguration {
  readonly schemas?: readonly string[];
  readonly endpoints?: Readonly<Record<string, RawEndpoint>>;
  readonly properties?: Readonly<Record<string, RawScalar>>;
}

export interface RawEndpoint {
  readonly default_schema?: string;
  readonly privileges?: Readonly<Record<string, 'ro' | 'rw' | 'admin'>>;
}

export interface RawRoute {
  readonly type?: 'upstream' | 'redirect';
  readonly upstream?: string;
  readonly to?: string;
  readonly code?: RawRedirectCode;
  readonly redirects?: { readonly paths?: Readonly<Record<string, RawPathRedirect>> };
  readonly headers?: Readonly<Record<string, RawScalar>>;
  readonly access?: RawRouteAccess;
  readonly primary?: boolean;
  readonly id?: string | null;
}

export interface RawPathRedirect {
  readonly to: string;
  readonly code?: RawRedirectCode;
  readonly prefix?: boolean;
  readonly regexp?: boolean;
}

export interface RawRouteAccess {
  readonly basic_auth?: Readonly<Record<string, string | number>>;
  readonly addresses?: readonly { readonly permission: 'allow' | 'deny'; readonly address: string }[];
}

export interface RawEnvironmentRule {
  readonly match: string;
  readonly data?: 'clone' | 'empty';
  readonly suspend_after?: RawAmount;
  readonly resources?: Readonly<Record<string, RawResources>>;
  readonly instances?: Readonly<Record<string, number>>;
  readonly variables?: RawVariables;
}

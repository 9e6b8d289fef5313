import type {
  DeploymentId,
  Digest,
  EnvironmentId,
  ImagePin,
  JobKey,
  ListedGeneration,
  ListedJob,
  MountSpec,
  NetworkPolicy,
  NodeName,
  ObservedGeneration,
  ObservedJob,
  Resources,
} from '@coppice/model';

/**
 * What we need of a container engine, in generations: the instances of one node at one digest. Every call is idempotent: done
 * already is done. Failures are thrown as CoppiceError `engine-unreachable` (nobody answers) or `engine-failed`.
 * An engine is bound to one server id at construction and never sees or touches what other servers own.
 */
export interface Engine {
  readonly capabilities: EngineCapabilities;
  /** Throws `engine-unreachable` when it does not answer. */
  probe(): Promise<EngineInfo>;
  /** All that is ours, by environment. A listing that failed is thrown, never an empty one. */
  list(): Promise<ReadonlyMap<EnvironmentId, EngineListing>>;
  /** The same for one environment. */
  inspect(environment: EnvironmentId): Promise<EngineListing>;
  /** The same for one generation, without a look at its neighbours; undefined where nothing of it is there. */
  inspectGeneration(ref: GenerationRef): Promise<ObservedGeneration | undefined>;
  /** Who is in an environment's network: what one listing tells, however many there are. */
  members(environment: EnvironmentId): Promise<NetworkMembers>;

  /** Makes the image usable; pulls by digest from our registry, or from its own for a foreign one. */
  ensureImage(image: ImagePin): Promise<void>;
  /** Of those given, the ones that are there. */
  presentImages(images: readonly ImagePin[]): Promise<ReadonlySet<Digest>>;
  /**
   * The images that came from our registry or that we hold by a name of ours; nobody else's, and no foreign one, since nothing tells who
   * pulled that. To be asked before it is read what is needed: what is ensured from then on is safe from `removeImages`.
   */
  ownImages(): Promise<OwnImages>;
  /**
   * Lets go of images of a listing, and with that of their content where nobody else names it. What was ensured since the listing, or what
   * a container of whomever is made of, is left alone. Answers those let go of, by configuration.
   */
  removeImages(listing: OwnImages, configurations: ReadonlySet<Digest>): Promise<ReadonlySet<Digest>>;

  /** Creates the environment's bridge; resolves with its subnets, the same at every call. */
  ensureNetwork(environment: EnvironmentId): Promise<EnvironmentNetwork>;
  removeNetwork(environment: EnvironmentId): Promise<void>;
  /** Swaps who may reach whom and where stable addresses lead, atomically. */
  applyPolicy(environment: EnvironmentId, policy: NetworkPolicy): Promise<void>;

  /** Creates and starts what is missing of the generation; resolves when all `instances` were started, not when they are ready. */
  startGeneration(generation: GenerationSpec): Promise<ObservedGeneration>;
  /** Memory and CPU of all its instances, without a restart. */
  resizeGeneration(ref: GenerationRef, resources: Pick<Resources, 'cpu' | 'memoryBytes'>): Promise<void>;
  /** Stops (signal, grace, kill) and removes all of it. */
  stopGeneration(ref: GenerationRef, stop: StopSpec): Promise<void>;
  /** Stops and removes single instances by id. */
  removeInstances(environment: EnvironmentId, ids: readonly string[], stop: StopSpec): Promise<void>;

  /**
   * Stops the clock of all that runs of the environment, jobs included, and of what starts to meanwhile: none of it runs until `thaw`.
   * Repeatable. `engine-failed`, and all goes on, where something does not stand still within 2 s. Meanwhile commands in its instances
   * fail, and its clients wait: the caller keeps it short, and starts nothing.
   */
  freeze(environment: EnvironmentId): Promise<void>;
  /** Lets all of it go on that does not, whoever froze it; stopping and removing thaw by themselves. */
  thaw(environment: EnvironmentId): Promise<void>;

  /** Starts a job, or adopts the one that runs or has ended under its key. */
  startJob(job: JobSpec): Promise<ObservedJob>;
  /** Resolves when it has ended. Its output is in `logs(job.id)`. */
  waitJob(job: ObservedJob, signal?: AbortSignal): Promise<ObservedJob>;
  /** Kills it where it runs, and removes it. */
  removeJob(environment: EnvironmentId, key: JobKey): Promise<void>;

  /** Output of an instance or job, oldest first; ends when it ends unless `follow`. Lines without their newline, at most 64 KiB each. */
  logs(id: string, options: LogOptions): AsyncIterable<LogLine>;
  /** `engine-failed` where it does not run or is frozen. */
  exec(id: string, command: ExecSpec): Promise<ExecResult>;
  /** A command with a terminal or pipes attached, for `coppice exec`. */
  attach(id: string, command: AttachSpec): Promise<AttachedProcess>;

  /** Yields when something of ours may have changed, by environment; hints only. Ends when the connection does. */
  hints(signal: AbortSignal): AsyncIterable<EnvironmentId>;
}

export interface EngineCapabilities {
  readonly resizeInPlace: boolean;
  readonly liveRestore: boolean;
}

export interface EngineInfo {
  readonly name: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly capabilities: EngineCapabilities;
  /** Folder of the host that its images and containers lie in, where it has one. */
  readonly directory?: string;
}

/** What this server has of images on the engine. */
export interface OwnImages {
  readonly images: readonly OwnImage[];
  /** When it was looked at, counted in calls of `ensureImage`. */
  readonly mark: number;
}

export interface OwnImage {
  /** Digest of the configuration: `ImagePin.config`. */
  readonly config: Digest;
  /** Bytes of all its layers, those that it shares with others included. */
  readonly bytes: number;
  /** Whether a container, running or not, is made of it. */
  readonly used: boolean;
}

export interface EngineListing {
  readonly network: boolean;
  /** `foreign`: somebody changed the rules since they were put in force; `ensureNetwork` and `applyPolicy` put them back. */
  readonly rules?: 'foreign' | undefined;
  /** Whether any instance or job that runs is frozen. */
  readonly frozen?: boolean;
  readonly generations: readonly ObservedGeneration[];
  readonly jobs: readonly ObservedJob[];
}

export interface NetworkMembers {
  readonly network: boolean;
  readonly generations: readonly ListedGeneration[];
  readonly jobs: readonly ListedJob[];
}

export interface EnvironmentNetwork {
  /** CIDR of the instances. */
  readonly subnet: string;
  /** CIDR of the nodes' stable addresses: a /24 of its own, of which .1 to .254 may be used. */
  readonly addressBlock: string;
}

export interface GenerationRef {
  readonly environment: EnvironmentId;
  readonly node: NodeName;
  readonly digest: Digest;
}

/** Everything an instance needs, secrets included: it is never stored or logged. */
export interface GenerationSpec extends GenerationRef, RunSpec {
  readonly project: string;
  readonly deployment: DeploymentId;
  readonly instances: number;
}

/** How a process runs: shared by instances and jobs. */
export interface RunSpec {
  readonly image: ImagePin;
  readonly argv: readonly string[];
  readonly user: string;
  readonly workingDirectory: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly capabilities: readonly string[];
  readonly mounts: readonly HostMount[];
  readonly tmpfs: readonly string[];
  /** Extra names in /etc/hosts to IPv4. */
  readonly hosts: Readonly<Record<string, string>>;
  readonly resources: Pick<Resources, 'cpu' | 'memoryBytes'>;
  readonly stop: StopSpec;
}

/** A folder of the host, as the volumes gave it, and where it appears. */
export interface HostMount extends Pick<MountSpec, 'target'> {
  readonly hostPath: string;
  readonly readOnly: boolean;
}

export interface StopSpec {
  readonly signal: string;
  readonly graceMs: number;
}

/** A process that ends. */
export interface JobSpec extends RunSpec {
  readonly environment: EnvironmentId;
  readonly project: string;
  readonly key: JobKey;
}

export interface LogOptions {
  readonly follow?: boolean;
  /** RFC 3339. */
  readonly since?: string;
  /** Only the last so many lines. */
  readonly tail?: number;
  readonly signal?: AbortSignal;
}

export interface LogLine {
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

export interface ExecSpec {
  readonly argv: readonly string[];
  readonly input?: string;
  readonly user?: string;
  readonly timeoutMs: number;
}

/** Output is cut at 1 MiB each. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface AttachSpec {
  readonly argv: readonly string[];
  readonly terminal: { readonly columns: number; readonly rows: number } | undefined;
}

export interface AttachedProcess {
  /** Bytes to its standard input; end it to close. */
  readonly input: NodeJS.WritableStream;
  readonly stdout: NodeJS.ReadableStream;
  /** The same stream as stdout where there is a terminal. */
  readonly stderr: NodeJS.ReadableStream;
  resize(columns: number, rows: number): Promise<void>;
  exitCode(): Promise<number>;
}

import type { EngineListing, EnvironmentNetwork, StopSpec } from '@coppice/engine';
import type { DeploymentId, EnvironmentId, NetworkPolicy, NodeName, NodeSpec, ObservedInstance, RouteTable } from '@coppice/model';
import type { RecordedJob } from '@coppice/plan';

/** The instances each node's stable address and routes lead to: ready ones, by index. A node without any is not there. */
export type Serving = ReadonlyMap<NodeName, readonly ObservedInstance[]>;

/** What is there, and what serves. */
export interface ServedWorld {
  readonly listing: EngineListing;
  readonly serving: Serving;
  readonly network: EnvironmentNetwork;
}

/** All the executor must know of one environment, given by the control plane. Values are of the desired spec. */
export interface EnvironmentContext {
  readonly environment: EnvironmentId;
  readonly project: string;
  /** Labels what is started, and names the jobs. */
  readonly deployment: DeploymentId;
  spec(node: NodeName): NodeSpec;
  /** How a node stops, also one that is not in the release any more. */
  stop(node: NodeName): StopSpec;
  /** All variables of its processes, secrets included. */
  variables(node: NodeName): Readonly<Record<string, string>>;
  /** What the node's provisioning reads on standard input, secrets included. */
  provisionInput(node: NodeName): string;
  /** Names of its relationships to stable addresses. */
  hosts(node: NodeName, network: EnvironmentNetwork): Readonly<Record<string, string>>;
  /** What the router shall do when these instances serve. */
  routeTable(serving: Serving): RouteTable;
  /** Who may reach whom: instances and jobs of the listing, old generations included; addresses lead to what serves. */
  policy(world: ServedWorld): NetworkPolicy;
  /** How far the job of this deployment came, as recorded. */
  recordedJob(node: NodeName, hook: string): RecordedJob['state'] | undefined;
  recordJob(job: RecordedJob & { readonly exitCode: number | undefined }): void;
  /** Told of each instance that was seen ready. */
  noteReady(instance: ObservedInstance): void;
  /** One line for the activity's log. */
  log(line: string): void;
}

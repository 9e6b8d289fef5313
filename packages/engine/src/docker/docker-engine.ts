import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CoppiceError, type EnvironmentId } from '@coppice/model';
import type { Engine, EngineInfo, EngineListing } from '../engine.ts';
import { EnvironmentNetworks } from '../network/environment-networks.ts';
import { removeContainer } from './container-lifecycle.ts';
import { DockerConnection } from './docker-connection.ts';
import { EnvironmentFreezer, isFrozen, thawContainer } from './environment-freezer.ts';
import { attachCommand, execCommand } from './exec.ts';
import { DockerGenerations } from './generations.ts';
import { readHints, readNetworkHints } from './hints.ts';
import { DockerImages, type RegistryAccess } from './images.ts';
import { DockerJobs } from './jobs.ts';
import { labelNames } from './labels.ts';
import { readLogs } from './log-lines.ts';
import { mergedHints } from './merged-hints.ts';
import {
  byEnvironment,
  type ContainerInspection,
  inspectContainers,
  listContainers,
  observeContainers,
  observeMembers,
} from './observation.ts';
import { seesFolder } from './sees-folder.ts';

/** What a Docker engine is bound to. */
export interface DockerEngineOptions {
  /** Letters, digits and `_`, at most 40. */
  readonly serverId: string;
  /** As in DOCKER_HOST; undefined for /var/run/docker.sock. Only unix sockets. */
  readonly dockerHost: string | undefined;
  readonly registry: RegistryAccess;
  /** A folder of ours that containers' mounts come from; `verifyLocal` makes one in it. */
  readonly stateDirectory: string;
}

/** The Engine port on Docker, and what only the composition root may ask of it. */
export interface DockerEngine extends Engine {
  /** Proves that the engine shares our network and mount namespaces; `engine-failed` with the reason where it does not. */
  verifyLocal(): Promise<void>;
  /** Removes every container, network, rule and pulled image of this server: for `coppice server down`. Volumes stay. */
  removeServer(): Promise<void>;
  /** Closes idle connections. */
  close(): void;
}

interface VersionAnswer {
  readonly Version: string;
  readonly ApiVersion: string;
}

/** Binds to the engine; nothing is asked of it yet. `invalid-request` for a DOCKER_HOST that is no unix socket. */
export function createDockerEngine(options: DockerEngineOptions): DockerEngine {
  const { serverId } = options;
  const connection = new DockerConnection(options.dockerHost);
  const networks = new EnvironmentNetworks(connection, serverId);
  const images = new DockerImages(connection, options.registry, serverId);
  const generations = new DockerGenerations({ connection, networks, serverId });
  const jobs = new DockerJobs({ connection, networks, serverId });
  const freezer = new EnvironmentFreezer({ connection, networks, serverId });
  const ours = { [labelNames.server]: serverId };

  return {
    // Whether live-restore is on is the engine's setting: `probe` tells.
    capabilities: { resizeInPlace: true, liveRestore: true },
    probe: () => probeEngine(connection),
    async list() {
      const [inspections, environments] = await Promise.all([inspectContainers(connection, ours), networks.environments()]);
      const groups = byEnvironment(inspections);
      const names = new Set<EnvironmentId>([...groups.keys(), ...([...environments] as EnvironmentId[])]);
      return new Map([...names].sort().map((name) => [name, { network: environments.has(name), ...observe(groups.get(name) ?? []) }]));
    },
    async inspect(environment): Promise<EngineListing> {
      const [inspections, network] = await Promise.all([
        inspectContainers(connection, { ...ours, [labelNames.environment]: environment }),
        networks.find(environment),
      ]);
      const rules = networks.areForeign(environment) ? { rules: 'foreign' as const } : {};
      return { network: network !== undefined, ...rules, ...observe(inspections) };
    },
    inspectGeneration: (ref) => generations.inspect(ref),
    async members(environment) {
      const [listed, network] = await Promise.all([
        listContainers(connection, { ...ours, [labelNames.environment]: environment }),
        networks.find(environment),
      ]);
      return { network: network !== undefined, ...observeMembers(listed) };
    },
    ensureImage: (image) => images.ensure(image),
    presentImages: (wanted) => images.present(wanted),
    ownImages: () => images.own(),
    removeImages: (listing, configurations) => images.remove(listing, configurations),
    ensureNetwork: (environment) => networks.ensure(environment),
    removeNetwork: (environment) => networks.remove(environment),
    applyPolicy: (environment, policy) => networks.apply(environment, policy),
    startGeneration: (spec) => generations.start(spec),
    resizeGeneration: (ref, resources) => generations.resize(ref, resources),
    stopGeneration: (ref, stop) => generations.stop(ref, stop),
    removeInstances: (environment, ids, stop) => generations.removeInstances(environment, ids, stop),
    freeze: (environment) => freezer.freeze(environment),
    thaw: (environment) => freezer.thaw(environment),
    startJob: (job) => jobs.start(job),
    waitJob: (job, signal) => jobs.wait(job, signal),
    removeJob: (environment, key) => jobs.remove(environment, key),
    logs: (id, logOptions) => readLogs(connection, id, logOptions),
    exec: (id, command) => execCommand(connection, id, command),
    attach: (id, command) => attachCommand(connection, id, command),
    hints: (signal) =>
      mergedHints(
        [
          (end) => readHints(connection, serverId, end),
          (end) => readNetworkHints(connection, serverId, end),
          (end) => networks.foreignRules(end),
        ],
        signal,
      ),
    verifyLocal: () => verifyLocal(connection, networks, options.stateDirectory),
    async removeServer() {
      const containers = await inspectContainers(connection, ours);
      await Promise.all(
        containers.map(async (container) => {
          await thawContainer(connection, container);
          await removeContainer(connection, container.Id);
        }),
      );
      await networks.removeAll();
      await images.removeOwn();
    },
    close: () => connection.close(),
  };
}

function observe(inspections: readonly ContainerInspection[]): Omit<EngineListing, 'network'> {
  return { ...observeContainers(inspections), ...(inspections.some(isFrozen) ? { frozen: true } : {}) };
}

async function probeEngine(connection: DockerConnection): Promise<EngineInfo> {
  const [version, info] = await Promise.all([
    connection.json<VersionAnswer>({ method: 'GET', path: '/version', timeoutMs: 5000 }),
    connection.json<{ readonly LiveRestoreEnabled: boolean; readonly DockerRootDir: string }>({
      method: 'GET',
      path: '/info',
      timeoutMs: 5000,
    }),
  ]);
  const capabilities = { resizeInPlace: true, liveRestore: info.LiveRestoreEnabled };
  return { name: 'docker', version: version.Version, apiVersion: version.ApiVersion, capabilities, directory: info.DockerRootDir };
}

const probeNetwork = 'probe';

async function verifyLocal(connection: DockerConnection, networks: EnvironmentNetworks, stateDirectory: string): Promise<void> {
  await mkdir(stateDirectory, { recursive: true });
  const folder = await mkdtemp(join(stateDirectory, 'engine-sees-'));
  try {
    await networks.ensure(probeNetwork, 'build-network');
    if (!existsSync(`/sys/class/net/${networks.bridge(probeNetwork)}`)) {
      throw notLocal('its networks do not appear on this host');
    }
    if (!(await seesFolder(connection, folder))) throw notLocal(`it does not see the folder ${folder}`);
  } finally {
    await rm(folder, { recursive: true });
    await networks.remove(probeNetwork);
  }
}

function notLocal(reason: string): CoppiceError {
  return new CoppiceError('engine-failed', `the container engine does not run in this host's namespaces: ${reason}`, {
    hint: 'Run Coppice on the same host as dockerd, outside containers, with the state folder visible to both.',
  });
}

import { join } from 'node:path';
import { loadCatalog, staticServerFiles, typeDirectory } from '@coppice/catalog';
import { configuredRetention, createControlPlane, type Ports, type RunningControlPlane } from '@coppice/control';
import { createDockerEngine, createDockerSandbox, type DockerEngine, type DockerSandbox } from '@coppice/engine';
import { type Authorization, createGitHttpHandler, type GitRepositories, openRepositories } from '@coppice/git';
import {
  configuredLimits,
  createImageBuilder,
  createRegistryHandler,
  createRoomForBuild,
  openBuildDisks,
  openOciStore,
  refuseWithoutRoom,
  sweepBases,
} from '@coppice/images';
import { createHaproxyRouter, type Router } from '@coppice/router';
import { openStore, type Store } from '@coppice/state';
import type { HostVolumes } from '@coppice/volumes';
import type { FastifyInstance } from 'fastify';
import type { DataDirectory } from './data-directory.ts';
import { createApi } from './http/create-api.ts';
import { addExecUpgrade } from './http/exec-upgrade.ts';
import { killPoints, withAfterEffect } from './kill-points.ts';
import type { Log } from './logger.ts';
import { ControlMetrics } from './metrics/control-metrics.ts';
import { openMetrics } from './metrics.ts';
import { openServerVolumes, type ServerVolumes } from './open-server-volumes.ts';
import { openPassage } from './passage.ts';
import type { ServerOptions } from './server-options.ts';
import { wallClock } from './shifted-clock.ts';
import { wantedDriver } from './wanted-driver.ts';

/** A server that is wired and not listening yet. */
export interface Composition {
  readonly api: FastifyInstance;
  readonly plane: RunningControlPlane;
  readonly engine: DockerEngine;
  readonly sandbox: DockerSandbox;
  readonly router: Router;
  readonly repositories: GitRepositories;
  readonly store: Store;
  readonly volumes: HostVolumes;
  readonly volumeFileSystem: ServerVolumes['fileSystem'];
}

/** Addresses that are known only once the server listens. */
export interface Listening {
  /** URL of the API, no trailing slash. */
  url: string;
  /** `127.0.0.1:PORT` of the registry, which the engine pulls from. */
  registry: string;
}

const version = '0.1.0';
const maxEnvironments = 30;

/** Wires every part: the only place that knows which implementation stands behind a port. */
export async function compose(options: ServerOptions, directory: DataDirectory, listening: Listening, log: Log): Promise<Composition> {
  const { serverId, registryToken, at } = directory;
  const dockerHost = process.env['DOCKER_HOST'];
  const registry = { address: () => listening.registry, token: registryToken };
  const engine = createDockerEngine({ serverId, dockerHost, registry, stateDirectory: at('engine') });
  const sandbox = createDockerSandbox({ serverId, dockerHost, registry });
  const passage = await openPassage(directory);
  const router = createHaproxyRouter({
    directory: join(passage, 'router'),
    listen: hostPort(options.router),
    domain: options.domain,
    log: (line) => log('router', { line }),
  });
  const clock = { now: wallClock(process.env), monotonicMs: () => performance.now() };
  const store = openStore({ directory: directory.root, clock });
  const imageStore = await openOciStore(at('images'));
  const repositories = await openRepositories({
    directory: join(passage, 'repositories'),
    hooksDirectory: join(passage, 'hooks'),
    log: (event, details) => log(event, details),
  });
  // Begun at once: it also sweeps the disks that a server which died in a build left mounted.
  const buildDisks = openBuildDisks(at('builds/disks'));
  const [{ volumes, fileSystem }] = await Promise.all([
    openServerVolumes(directory, { dockerHost, driver: wantedDriver(process.env) }),
    buildDisks,
    sweepBases(),
  ]);
  const catalog = loadCatalog();
  const images = createImageBuilder({
    directory: at('builds'),
    store: imageStore,
    sandbox,
    ensureImage: engine.ensureImage,
    disks: () => buildDisks,
    limits: configuredLimits(process.env),
  });
  const room = createRoomForBuild({
    folders: [{ path: directory.root, name: 'the data directory' }],
    volumes: fileSystem.kind === 'none' ? undefined : fileSystem,
  });
  const metrics = new ControlMetrics();
  const ports: Ports = {
    store,
    engine,
    volumes,
    router,
    repositories,
    images,
    refuseWithoutRoom: async () => await refuseWithoutRoom(room),
    catalog,
    types: typeDirectory(catalog),
    typeFiles: (type, node) => (type.webServer === undefined ? {} : staticServerFiles(node.web.locations)),
    clock,
    settings: {
      domain: options.domain,
      routerAddress: router.address,
      apiUrl: () => listening.url,
      maxEnvironments,
      retention: configuredRetention(process.env),
    },
    log,
    measure: metrics.measure,
  };
  const afterEffect = killPoints(process.env);
  const plane = createControlPlane(afterEffect ? withAfterEffect(ports, afterEffect) : ports);
  const verify = store.tokens.verify;
  const git = createGitHttpHandler({
    repositories,
    handler: plane.pushes,
    authorize: async (token, project) => authorize(store, token, project),
  });
  const registryHandler = createRegistryHandler({ store: imageStore, token: registryToken });
  const api = createApi({
    control: plane.control,
    verify,
    git: (request, response) => void git(request, response),
    registry: (request, response) => void registryHandler(request, response),
    metrics: openMetrics({ store, router, builds: images, backlog: plane.backlog, control: metrics, directory: directory.root }),
    version,
    log,
  });
  addExecUpgrade(api.server, { control: plane.control, engine, verify });
  return { api, plane, engine, sandbox, router, repositories, store, volumes, volumeFileSystem: fileSystem };
}

function authorize(store: Store, token: string, project: string): Authorization {
  const actor = store.tokens.verify(token);
  if (actor === undefined) return 'unauthenticated';
  const found = store.projects.find(project);
  return found ? { actor, projectId: found.id } : 'not-found';
}

function hostPort({ host, port }: ServerOptions['router']): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

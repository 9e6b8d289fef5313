import { randomBytes } from 'node:crypto';
import { CoppiceError } from '@coppice/model';
import { EnvironmentNetworks } from '../network/environment-networks.ts';
import type { Sandbox, SandboxResult, SandboxRun } from '../sandbox.ts';
import { bindMount, type ContainerConfig, confinement, tmpfsOptions } from './container-config.ts';
import { createContainer, removeContainer, startContainer, startFailure, waitStopped } from './container-lifecycle.ts';
import { DockerConnection } from './docker-connection.ts';
import type { DockerEngineOptions } from './docker-engine.ts';
import { DockerImages, imageName } from './images.ts';
import { commonLabels, networkName, serverShort } from './labels.ts';
import { inspectContainer, listContainers } from './observation.ts';
import { forwardLines, OutputLimit } from './output-lines.ts';

/** Stands where an environment's id stands elsewhere: all builds of a server share one bridge, on which they cannot see each other. */
const buildNetwork = 'build';

/** The Sandbox port on Docker, and its end. */
export interface DockerSandbox extends Sandbox {
  /** Closes idle connections. */
  close(): void;
}

/** Binds to the engine; `invalid-request` for a DOCKER_HOST that is no unix socket. */
export function createDockerSandbox(options: Pick<DockerEngineOptions, 'serverId' | 'dockerHost' | 'registry'>): DockerSandbox {
  const { serverId } = options;
  const connection = new DockerConnection(options.dockerHost);
  const networks = new EnvironmentNetworks(connection, serverId);
  const images = new DockerImages(connection, options.registry, serverId);
  return {
    run: (build) => runBuild({ connection, networks, images, serverId }, build),
    async sweep() {
      const left = await listContainers(connection, commonLabels(serverId, 'build'));
      await Promise.all(left.map((container) => removeContainer(connection, container.Id)));
    },
    close: () => connection.close(),
  };
}

interface BuildHost {
  readonly connection: DockerConnection;
  readonly networks: EnvironmentNetworks;
  readonly images: DockerImages;
  readonly serverId: string;
}

async function runBuild(host: BuildHost, build: SandboxRun): Promise<SandboxResult> {
  const { connection, networks, serverId } = host;
  build.signal?.throwIfAborted();
  const [network] = await Promise.all([networks.ensure(buildNetwork, 'build-network'), host.images.ensure(build.image)]);
  const address = networks.reservations.reserve(buildNetwork, network.subnet, buildNetwork);
  let id: string | undefined;
  try {
    const name = `coppice-${serverShort(serverId)}-build-${randomBytes(8).toString('hex')}`;
    [id] = await Promise.all([createContainer(connection, name, buildConfig(serverId, build, address)), openAll(networks)]);
    return await superviseBuild(connection, id, build);
  } finally {
    // By whatever way the build ended, nothing of it stays.
    if (id !== undefined) await removeContainer(connection, id);
    networks.reservations.release(buildNetwork, address);
  }
}

function openAll(networks: EnvironmentNetworks): Promise<void> {
  return networks.openOutwards(buildNetwork, [...networks.reservations.inUse(buildNetwork).keys()]);
}

async function superviseBuild(connection: DockerConnection, id: string, build: SandboxRun): Promise<SandboxResult> {
  const { limits } = build;
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(new CoppiceError('cancelled', 'the build was called off'));
  build.signal?.addEventListener('abort', onAbort, { once: true });
  if (build.signal?.aborted === true) onAbort();
  const timer = setTimeout(() => {
    stop.abort(new CoppiceError('build-limit', `took longer than ${Math.round(limits.timeMs / 1000)} s`));
  }, limits.timeMs);
  const output = await connection.hijack({
    method: 'POST',
    path: `/containers/${id}/attach`,
    query: { stream: 'true', stdout: 'true', stderr: 'true' },
  });
  try {
    const forwarding = forwardLines(output, limits.outputBytes, build.onOutput).catch((error: unknown) => {
      if (error instanceof OutputLimit) stop.abort(new CoppiceError('build-limit', `printed more than ${limits.outputBytes} bytes`));
      else stop.abort(error);
    });
    if (!stop.signal.aborted) await start(connection, id);
    const ended = await waitStopped(connection, id, stop.signal);
    if (ended) await forwarding;
    if (stop.signal.aborted) throw stop.signal.reason;
    const inspection = await inspectContainer(connection, id);
    if (inspection === undefined) throw new CoppiceError('build-failed', 'the build container was removed by somebody else');
    return { exitCode: inspection.State.ExitCode, outOfMemory: inspection.State.OOMKilled };
  } finally {
    clearTimeout(timer);
    build.signal?.removeEventListener('abort', onAbort);
    output.destroy();
  }
}

async function start(connection: DockerConnection, id: string): Promise<void> {
  try {
    await startContainer(connection, id);
  } catch (error) {
    throw startFailure(error, 'the build step');
  }
}

function buildConfig(serverId: string, build: SandboxRun, address: string): ContainerConfig {
  const network = networkName(serverId, buildNetwork);
  return {
    Image: imageName(build.image),
    Entrypoint: [],
    Cmd: [...build.argv],
    User: build.user,
    WorkingDir: build.workingDirectory,
    Env: Object.entries(build.variables).map(([name, value]) => `${name}=${value}`),
    Labels: commonLabels(serverId, 'build'),
    AttachStdout: true,
    AttachStderr: true,
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      ...confinement(build.limits),
      NetworkMode: network,
      Mounts: build.mounts.map((mount) => bindMount(mount)),
      // Counts as memory of the build, so half of that is all it may take.
      Tmpfs: { '/tmp': tmpfsOptions(Math.floor(build.limits.memoryBytes / 2), build.user) },
      LogConfig: { Type: 'none', Config: {} },
      // Builds fork processes and leave them behind: something has to reap them.
      Init: true,
    },
    NetworkingConfig: { EndpointsConfig: { [network]: { IPAMConfig: { IPv4Address: address } } } },
  };
}

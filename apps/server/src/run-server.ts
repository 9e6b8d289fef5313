import { resolve } from 'node:path';
import { CoppiceError, isCoppiceError } from '@coppice/model';
import { describeDriver, type VolumeDriver } from '@coppice/volumes';
import { type Composition, compose, type Listening } from './compose.ts';
import { openDataDirectory, writeAdminToken } from './data-directory.ts';
import { startIdleCollection } from './idle-collection.ts';
import { createLog, type Log } from './logger.ts';
import { startMaintenance } from './maintenance.ts';
import { missingTools } from './required-tools.ts';
import { parseHostPort, type ServerOptions } from './server-options.ts';
import { holdDirectory } from './single-server.ts';
import { watchRouter } from './watch-router.ts';
import { watchVolumes } from './watch-volumes.ts';

/** Options as the command line has them. */
export interface ServerFlags {
  readonly data: string;
  readonly listen: string;
  readonly router: string;
  readonly domain: string;
}

/**
 * Runs Coppice until SIGTERM or SIGINT. What it started goes on without it. Throws `missing-tool` where the machine lacks a program,
 * `conflict` where another server has the data directory.
 */
export async function runServer(flags: ServerFlags): Promise<void> {
  const missing = missingTools();
  if (missing.length > 0) {
    const programs = missing.map((tool) => tool.program).join(', ');
    throw new CoppiceError('missing-tool', `this machine lacks ${programs}`, {
      hint: `npm run setup, or: apt-get install ${missing.map((tool) => tool.debianPackage).join(' ')}`,
    });
  }
  const options: ServerOptions = {
    data: resolve(flags.data),
    listen: parseHostPort(flags.listen),
    router: parseHostPort(flags.router),
    domain: flags.domain,
  };
  let secrets = (): readonly string[] => [];
  const log = createLog(
    (line) => process.stderr.write(line),
    () => secrets(),
  );
  const directory = openDataDirectory(options.data);
  const hold = await holdDirectory(directory.at('server.sock'));
  const listening: Listening = { url: '', registry: '' };
  const parts = await compose(options, directory, listening, log);
  secrets = () => parts.store.secrets.values();
  sayVolumes(parts.volumes.driver);
  writeAdminToken(directory, () => parts.store.tokens.issue('admin'));
  const stopMaintenance = startMaintenance(parts.repositories, parts.store, log);
  const stopCollection = startIdleCollection(() => parts.store.activities.list({ state: 'running', limit: 1 }).length > 0);
  const watching = new AbortController();
  const stop = async (): Promise<void> => {
    watching.abort();
    stopCollection();
    stopMaintenance();
    parts.plane.stop();
    await parts.api.close();
    await parts.repositories.close();
    parts.store.close();
    hold.close();
  };
  try {
    await listen(parts, options, listening);
    await startParts(parts, log);
  } catch (error) {
    // Half a server must not stay: nobody would be told that it never gets ready.
    await stop();
    throw error;
  }
  process.stdout.write(`coppice is ready: api=${listening.url} router=http://${parts.router.address} ssh=off\n`);
  void watchRouter(parts.router, log, watching.signal);
  void watchVolumes({ fileSystem: parts.volumeFileSystem, volumes: parts.volumes, log, signal: watching.signal });
  stopOnSignal(stop, log);
}

function sayVolumes(driver: VolumeDriver): void {
  const lacks = (driver.lacks ?? []).map(({ message, hint }) => `\n  ${message}; ${hint}`);
  process.stderr.write(`volumes: ${describeDriver(driver)}${lacks.join('')}\n`);
}

async function listen({ api }: Composition, options: ServerOptions, listening: Listening): Promise<void> {
  await api.listen(options.listen);
  const address = api.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.listen.port;
  const host = options.listen.host.includes(':') ? `[${options.listen.host}]` : options.listen.host;
  listening.url = `http://${host}:${port}`;
  listening.registry = `127.0.0.1:${port}`;
}

/** The API answers already: where the engine is away it says so, and the loop recovers when it comes back. */
async function startParts({ plane, engine, sandbox, router }: Composition, log: Log): Promise<void> {
  await router.ensureRunning();
  try {
    await engine.probe();
    await engine.verifyLocal();
    await sandbox.sweep();
  } catch (error) {
    if (!isCoppiceError(error, 'engine-unreachable')) throw error;
    log('engine.unreachable', { error });
    process.stderr.write(`the container engine does not answer; going on without it until it does: ${error.message}\n`);
  }
  await plane.start();
}

function stopOnSignal(stop: () => Promise<void>, log: Log): void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    log('server.stopping', { signal });
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log('server.stop-failed', { error });
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

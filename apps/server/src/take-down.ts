import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createDockerEngine, createDockerSandbox } from '@coppice/engine';
import { openBuildDisks } from '@coppice/images';
import { CoppiceError } from '@coppice/model';
import { createHaproxyRouter } from '@coppice/router';
import { movingPlace, takeDownVolumeFileSystem } from '@coppice/volumes';
import { openDataDirectory } from './data-directory.ts';
import { closePassage, openPassage } from './passage.ts';
import { whoHolds } from './single-server.ts';
import { volumePlace } from './volume-place.ts';

const stopDeadlineMs = 20_000;

/** Stops the server of a data directory and removes all that it runs: containers, networks, rules, the router, mounts. Data and images stay. */
export async function takeDown(flags: { readonly data: string }): Promise<void> {
  const root = resolve(flags.data);
  if (!existsSync(root)) throw new CoppiceError('not-found', `there is no data directory ${root}`);
  const directory = openDataDirectory(root);
  await stopServer(directory.at('server.sock'));
  const { serverId, at } = directory;
  const dockerHost = process.env['DOCKER_HOST'];
  const registry = { address: () => '127.0.0.1:1', token: '' };
  await openBuildDisks(at('builds/disks'));
  await createDockerSandbox({ serverId, dockerHost, registry }).sweep();
  await createDockerEngine({ serverId, dockerHost, registry, stateDirectory: at('engine') }).removeServer();
  await createHaproxyRouter({
    directory: join(await openPassage(directory), 'router'),
    listen: '127.0.0.1:1',
    domain: 'localhost',
    log: () => undefined,
  }).shutdown();
  await closePassage(directory);
  await takeDownVolumeFileSystem(volumePlace(directory), 'keep-image');
  await takeDownVolumeFileSystem(movingPlace(volumePlace(directory)), 'remove-image');
  process.stdout.write(`stopped and removed all that ${root} ran; its data is still there\n`);
}

async function stopServer(socketPath: string): Promise<void> {
  const holder = await whoHolds(socketPath);
  if (!holder) return;
  const { pid } = holder;
  if (pid === undefined) throw new CoppiceError('conflict', 'a server uses this data directory and does not say which process it is');
  process.kill(pid, 'SIGTERM');
  const deadline = performance.now() + stopDeadlineMs;
  while ((await whoHolds(socketPath)) !== undefined) {
    if (performance.now() > deadline) throw new CoppiceError('conflict', `the server (process ${pid}) does not stop`);
    await pause(50);
  }
}

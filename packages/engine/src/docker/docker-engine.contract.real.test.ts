import { engineContract } from '../engine.contract.ts';
import { removeSpareImage, spareImage, tinyImage } from '../testing/tiny-image.ts';
import { createDockerEngine } from './docker-engine.ts';

engineContract('docker', async () => {
  const engine = createDockerEngine({
    serverId: `contract${process.pid}`,
    dockerHost: process.env['DOCKER_HOST'],
    registry: { address: () => '127.0.0.1:1', token: '' },
    stateDirectory: '/tmp/coppice-test-state',
  });
  return {
    engine,
    image: await tinyImage(),
    spareImage,
    program: ({ prints = [], exitCode }) => [
      '/bin/sh',
      '-c',
      [...prints.map((line) => `echo ${line}`), exitCode === undefined ? 'exec sleep 1000' : `exit ${exitCode}`].join('; '),
    ],
    dispose: async () => {
      await engine.removeServer();
      await removeSpareImage();
      engine.close();
    },
  };
});

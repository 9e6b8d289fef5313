import { sha256 } from '@coppice/model';
import { engineContract } from '../engine.contract.ts';
import { simulatedArgv } from './simulated-behaviour.ts';
import { createSimulatedEngine } from './simulated-engine.ts';

engineContract('simulated', async () => ({
  engine: createSimulatedEngine(),
  image: { manifest: sha256('manifest'), config: sha256('config') },
  program: ({ prints = [], exitCode }) => simulatedArgv({ prints, ...(exitCode === undefined ? {} : { exits: { exitCode } }) }),
  dispose: async () => undefined,
}));

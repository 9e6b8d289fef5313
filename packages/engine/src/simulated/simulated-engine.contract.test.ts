import { sha256 } from '@coppice/model';
import { engineContract } from '../engine.contract.ts';
import { simulatedArgv } from './simulated-behaviour.ts';
import { createSimulatedEngine } from './simulated-engine.ts';

engineContract('simulated', async () => ({
  engine: createSimulatedEngine(),
  image: { manifest: sha256('manifest'), config: sha256('config') },
  spareImage: async () => ({ manifest: sha256('spare manifest'), config: sha256('spare config') }),
  program: ({ prints = [], exitCode }) => simulatedArgv({ prints, ...(exitCode === undefined ? {} : { exits: { exitCode } }) }),
  dispose: async () => undefined,
}));

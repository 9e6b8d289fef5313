import { createSimulatedVolumes } from './simulated-volumes.ts';
import { volumesContract } from './volumes.contract.ts';

volumesContract('simulated', async () => createSimulatedVolumes());

import { cloneContract } from './clone.contract.ts';
import { createSimulatedVolumes } from './simulated-volumes.ts';
import { volumesContract } from './volumes.contract.ts';

volumesContract('simulated', async () => createSimulatedVolumes());
cloneContract('simulated', async () => createSimulatedVolumes());

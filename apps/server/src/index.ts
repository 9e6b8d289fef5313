export { moveVolumes } from './move-volumes.ts';
export { runServer, type ServerFlags } from './run-server.ts';
export { takeDown } from './take-down.ts';

/** Thrown by a test's hook in the place of a kill: nothing is recorded, cleaned up or reported after it. */
export class SimulatedCrash extends Error {
  override readonly name = 'SimulatedCrash';
}

/** Whether `error` stands for a kill; told by name, so that simulated ports can throw their own. */
export function isSimulatedCrash(error: unknown): boolean {
  return error instanceof Error && error.name === 'SimulatedCrash';
}

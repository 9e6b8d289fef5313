import type { Engine } from '@coppice/engine';
import type { EnvironmentId } from '@coppice/model';

/** Lets an environment stand still meanwhile. Whatever happens, it goes on; where the server is killed, the next one's first look thaws it. */
export async function stillWhile(
  engine: Pick<Engine, 'freeze' | 'thaw'>,
  environment: EnvironmentId,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await engine.freeze(environment);
    await work();
  } finally {
    await engine.thaw(environment);
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import { CoppiceError, isCoppiceError } from '@coppice/model';
import type { StopSpec } from '../engine.ts';
import type { ContainerConfig } from './container-config.ts';
import { type DockerConnection, unlessStatus } from './docker-connection.ts';
import { DockerStatusError } from './docker-error.ts';
import { labelNames } from './labels.ts';
import { type ContainerInspection, inspectContainer } from './observation.ts';

/**
 * Creates the container, or adopts the one of that name when all its labels say it is the same. `engine-failed` names a foreign
 * container that has our name.
 */
export async function createContainer(connection: DockerConnection, name: string, config: ContainerConfig): Promise<string> {
  try {
    const created = await connection.json<{ readonly Id: string }>({
      method: 'POST',
      path: '/containers/create',
      query: { name },
      body: config,
    });
    return created.Id;
  } catch (error) {
    const lost = error instanceof CoppiceError && error.code === 'engine-unreachable';
    const nameInUse = error instanceof DockerStatusError && error.status === 409;
    if (!lost && !nameInUse) throw error;
    const found = await inspectContainer(connection, name);
    if (found === undefined) throw error;
    return adopt(found, name, config);
  }
}

function adopt(found: ContainerInspection, name: string, config: ContainerConfig): string {
  const wanted = config['Labels'] as Readonly<Record<string, string>>;
  const labels = found.Config.Labels ?? {};
  // Which address and which deployment it got does not say which container it is.
  const identity = Object.entries(wanted).filter(([label]) => label !== labelNames.address && label !== labelNames.deployment);
  if (identity.every(([label, value]) => labels[label] === value)) return found.Id;
  throw new CoppiceError('engine-failed', `a container that is not ours has the name ${name} (id ${found.Id.slice(0, 12)})`, {
    hint: `Remove or rename it: docker rename ${name} …`,
  });
}

/** Starts a container; one that runs already is fine. */
export async function startContainer(connection: DockerConnection, id: string): Promise<void> {
  await connection.json({ method: 'POST', path: `/containers/${id}/start`, repeatable: true });
}

/** Signal, grace, kill, remove. Resolves when the container is gone, also when it was gone before. */
export async function stopAndRemove(connection: DockerConnection, id: string, stop: StopSpec): Promise<void> {
  const signalled = await unlessStatus(
    [404, 409, 500],
    connection
      .json({ method: 'POST', path: `/containers/${id}/kill`, query: { signal: stop.signal }, repeatable: true })
      .then(() => 'sent' as const),
  );
  if (signalled === 'sent' && stop.graceMs > 0) await waitStopped(connection, id, AbortSignal.timeout(stop.graceMs));
  await removeContainer(connection, id);
}

/** Resolves true when it does not run any more, false when the signal came first. */
export async function waitStopped(connection: DockerConnection, id: string, signal: AbortSignal): Promise<boolean> {
  try {
    const query = { condition: 'not-running' };
    const path = `/containers/${id}/wait`;
    const answer = await unlessStatus([404], connection.stream({ method: 'POST', path, query, repeatable: true, signal }));
    // The head of the answer comes at once. As a stream, an engine that dies before the rest comes is a failure and no silence.
    if (answer) for await (const _ of answer);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    if (isCoppiceError(error)) throw error;
    throw new CoppiceError('engine-unreachable', 'the container engine broke off while it was waited for', { cause: error });
  }
}

/** Kills and removes; resolves when it is gone. A removal that is in progress is waited for. */
export async function removeContainer(connection: DockerConnection, id: string): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    try {
      await connection.json({ method: 'DELETE', path: `/containers/${id}`, query: { force: 'true', v: 'true' } });
      return;
    } catch (error) {
      if (error instanceof DockerStatusError && error.status === 404) return;
      const inProgress = error instanceof DockerStatusError && error.status === 409;
      if (!inProgress || performance.now() > deadline) throw error;
    }
    if ((await inspectContainer(connection, id)) === undefined) return;
    await delay(20);
  }
}

/** A failed start in words that name what could not start. */
export function startFailure(error: unknown, what: string): unknown {
  if (!isCoppiceError(error, 'engine-failed')) return error;
  return new CoppiceError('engine-failed', `${what} cannot start: ${error.message.replace(/^container engine: /, '')}`, { cause: error });
}

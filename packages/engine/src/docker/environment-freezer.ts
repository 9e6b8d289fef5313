import { setTimeout as delay } from 'node:timers/promises';
import { CoppiceError, type EnvironmentId } from '@coppice/model';
import { type CgroupFreezer, freezerOfProcess, hasEnded } from './cgroup-freezer.ts';
import { type DockerConnection, unlessStatus } from './docker-connection.ts';
import type { ServerScope } from './environment-containers.ts';
import { type Labels, labelNames } from './labels.ts';
import { type ContainerInspection, inspectContainer, inspectContainers, listContainers } from './observation.ts';

/** A process stands still once it is out of its system call: a sync of a slow disk may take so long. Its clients wait all that time. */
const limitMs = 2_000;

/**
 * Stops and starts the clocks of an environment's containers by the kernel's own switch: that takes a millisecond for all, where the
 * engine's pause starts a program for each, twice. The engine does not know of it, so the kernel is asked what is frozen. Where the
 * switch is not found, and for what somebody paused, it is the engine's.
 */
export class EnvironmentFreezer {
  readonly #scope: ServerScope;
  /** To be thawed before anybody is asked anything. */
  readonly #frozen = new Map<EnvironmentId, readonly CgroupFreezer[]>();

  constructor(scope: ServerScope) {
    this.#scope = scope;
  }

  /** Freezes all that runs, and what starts to run meanwhile. `engine-failed`, and nothing is frozen, where it does not stand still in time. */
  async freeze(environment: EnvironmentId): Promise<void> {
    const seen = new Set<string>();
    try {
      for (;;) {
        const fresh = (await this.#running(environment)).filter((id) => !seen.has(id));
        if (fresh.length === 0) return;
        for (const id of fresh) seen.add(id);
        await this.#freeze(environment, fresh);
      }
    } catch (error) {
      await this.thaw(environment);
      throw error;
    }
  }

  async #freeze(environment: EnvironmentId, ids: readonly string[]): Promise<void> {
    const { connection } = this.#scope;
    const found = (await Promise.all(ids.map((id) => inspectContainer(connection, id)))).filter((inspection) => inspection !== undefined);
    const switches = found.map((inspection) => ({ inspection, freezer: freezerOf(inspection) }));
    const own = switches.flatMap(({ freezer }) => (freezer === undefined ? [] : [freezer]));
    const others = switches.filter(({ freezer }) => freezer === undefined);
    this.#frozen.set(environment, [...(this.#frozen.get(environment) ?? []), ...own]);
    for (const freezer of own) freezer.freeze();
    await Promise.all([standStill(own), ...others.map(({ inspection }) => pauseContainer(connection, inspection))]);
  }

  async #running(environment: EnvironmentId): Promise<readonly string[]> {
    const containers = await listContainers(this.#scope.connection, this.#labels(environment));
    return containers.filter(({ State }) => State === 'running').map(({ Id }) => Id);
  }

  /** Lets all go on that does not, whoever froze it. */
  async thaw(environment: EnvironmentId): Promise<void> {
    for (const freezer of this.#frozen.get(environment) ?? []) freezer.thaw();
    this.#frozen.delete(environment);
    const { connection } = this.#scope;
    const inspections = await inspectContainers(connection, this.#labels(environment));
    await Promise.all(inspections.map((inspection) => thawContainer(connection, inspection)));
  }

  #labels(environment: EnvironmentId): Labels {
    return { [labelNames.server]: this.#scope.serverId, [labelNames.environment]: environment };
  }
}

/** By the engine; nothing where it has ended. */
async function pauseContainer(connection: DockerConnection, { Id, State }: ContainerInspection): Promise<void> {
  try {
    // 409: it has ended, or was paused.
    await unlessStatus([404, 409], connection.json({ method: 'POST', path: `/containers/${Id}/pause` }));
  } catch (error) {
    // The engine hears of its end a while after it.
    if (!hasEnded(State.Pid)) throw error;
  }
}

/** Tells again until all stand still: version 1 forgets what is forked meanwhile. */
async function standStill(freezers: readonly CgroupFreezer[]): Promise<void> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const moving = freezers.filter((freezer) => freezer.state() === 'freezing');
    if (moving.length === 0) return;
    if (performance.now() > deadline) throw new CoppiceError('engine-failed', `its processes did not stand still within ${limitMs} ms`);
    await delay(1);
    for (const freezer of moving) freezer.freeze();
  }
}

function freezerOf({ Id, State }: ContainerInspection): CgroupFreezer | undefined {
  return freezerOfProcess(State.Pid, Id);
}

/** Whether the container's clock stands, or shall. */
export function isFrozen(inspection: ContainerInspection): boolean {
  const { Status: status } = inspection.State;
  return status === 'paused' || (status === 'running' && (freezerOf(inspection)?.state() ?? 'thawed') !== 'thawed');
}

/** Lets a container go on that was frozen or paused; a frozen one takes no signal. */
export async function thawContainer(connection: DockerConnection, inspection: ContainerInspection): Promise<void> {
  if (!isFrozen(inspection)) return;
  if (inspection.State.Status !== 'paused') return freezerOf(inspection)?.thaw();
  // The engine believes that a paused one is frozen until it has thawed it itself. 409: it has.
  await unlessStatus([404, 409], connection.json({ method: 'POST', path: `/containers/${inspection.Id}/unpause` }));
}

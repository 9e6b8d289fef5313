import { join } from 'node:path';
import { CoppiceError, type Digest, type EnvironmentId } from '@coppice/model';
import { serverPrefix } from './compiled-table.ts';
import { configurationKey, digestsMap, heldMap, workerSocket } from './haproxy-config.ts';
import { listProcesses, masterSocket, worksIn } from './haproxy-process.ts';
import type { RouterUsage } from './router.ts';
import { usageByEnvironment } from './router-usage.ts';
import {
  type ChangeScope,
  changeCommand,
  changeSucceeded,
  goalOf,
  type RuntimeChange,
  recordChange,
  runtimeChanges,
} from './runtime-change.ts';
import { askSocket } from './runtime-socket.ts';
import { parseMap, type RuntimeState, readRuntimeState } from './runtime-state.ts';
import { type AssignedTable, type SlotLayout, slotName } from './slot-assignment.ts';
import { openIn, parseStatRows, type StatRow } from './stat-rows.ts';

const everything: ChangeScope = {
  route: () => true,
  target: () => true,
  digest: (key) => key !== configurationKey,
  backend: () => true,
};

/** The worker process that a layout started: changes it through its run-time socket and keeps a picture of what it has. */
export class HaproxyWorker {
  readonly layout: SlotLayout;
  readonly #directory: string;
  #state: RuntimeState | undefined;
  /** Of the process that answered last. */
  #lastPid: number | undefined;

  constructor(directory: string, layout: SlotLayout) {
    this.#directory = directory;
    this.layout = layout;
  }

  async alive(): Promise<boolean> {
    return (await this.#pid()) !== undefined;
  }

  /** Whether the process that answered last is still there; that it hangs is seen by whoever asks it something. */
  isThere(): boolean {
    return this.#lastPid !== undefined && worksIn(this.#lastPid, this.#directory);
  }

  /** Whether it answers, and no other worker takes new connections. */
  async alone(): Promise<boolean> {
    const pid = await this.#pid();
    const processes = await listProcesses(this.#directory);
    const current = processes?.filter((process) => process.role === 'worker') ?? [];
    return pid !== undefined && current.length === 1 && current[0]?.pid === pid;
  }

  /** Digest of the configuration it was started with. */
  async configuration(): Promise<string | undefined> {
    return parseMap(await this.#ask(`show map ${digestsMap}`)).get(configurationKey);
  }

  /** Reads all it has and brings it to these tables. */
  async converge(tables: Iterable<AssignedTable>): Promise<void> {
    this.#state = await readRuntimeState((command) => this.#ask(command));
    await this.#perform(runtimeChanges(this.#state, goalOf(tables), everything));
    await this.#deleteIdleServers();
  }

  /** Brings one environment from one table to another. `converge` came before. */
  async swap(before: AssignedTable | undefined, after: AssignedTable | undefined): Promise<void> {
    const both = [before, after].filter((table) => table !== undefined);
    const routes = new Set(both.flatMap((table) => table.routes.map(([key]) => key)));
    const targets = new Set(both.flatMap((table) => table.targets.map(([key]) => key)));
    const digests = new Set<string>(both.map((table) => table.environment));
    const backends = new Set(both.flatMap((table) => table.groups.map((group) => slotName(group.slot))));
    const scope: ChangeScope = {
      route: (key) => routes.has(key),
      target: (key) => targets.has(key),
      digest: (key) => digests.has(key),
      backend: (name) => backends.has(name),
    };
    await this.#perform(runtimeChanges(this.#known(), goalOf(after ? [after] : []), scope));
    await this.#deleteIdleServers();
  }

  /** Digests of the environments whose tables it serves exactly; undefined where it does not answer. */
  async verified(tables: ReadonlyMap<EnvironmentId, AssignedTable>): Promise<ReadonlyMap<EnvironmentId, Digest> | undefined> {
    if (!(await this.alive())) return undefined;
    const state = await readRuntimeState((command) => this.#ask(command));
    const served = new Map<EnvironmentId, Digest>();
    for (const [environment, table] of tables) {
      const goal = goalOf([table]);
      const drift =
        state.maps.digests.get(environment) !== table.digest ||
        [...goal.routes].some(([key, value]) => state.maps.routes.get(key) !== value) ||
        [...goal.targets].some(([key, value]) => state.maps.targets.get(key) !== value) ||
        [...goal.servers.keys()].some((path) => state.servers.get(path)?.state !== 'ready');
      if (!drift) served.set(environment, table.digest);
    }
    this.#state = state;
    return served;
  }

  /** Slots that may go to somebody else: nobody's, without rules or servers, and with no request that could still be sent again. */
  async idleSlots(used: ReadonlySet<number>, wanted: number): Promise<number[]> {
    const withServers = new Set([...this.#known().servers.keys()].map((path) => path.slice(0, path.indexOf('/'))));
    const idle: number[] = [];
    for (let slot = 0; slot < this.layout.slots && idle.length < wanted; slot += 1) {
      const name = slotName(slot);
      if (used.has(slot) || withServers.has(name) || this.layout.rules[slot] !== undefined) continue;
      if (openIn(parseStatRows(await this.#ask(`show stat ${name} 2 -1`)), (row) => row.backend === name) === 0) idle.push(slot);
    }
    return idle;
  }

  /** Requests that servers of an instance are answering, in this worker and in those that end with their last request. */
  async openRequests(instance: string): Promise<number> {
    const prefix = serverPrefix(instance);
    const rows = await this.#rowsOfAll('show stat -1 4 -1');
    const open = openIn(rows, (row) => row.server.startsWith(prefix));
    if (open === 0) await this.#deleteIdleServers();
    return open;
  }

  /** See `Router.usage`. */
  async usage(tables: Iterable<AssignedTable>): Promise<ReadonlyMap<EnvironmentId, RouterUsage>> {
    const [rows, held, info] = await Promise.all([
      this.#rowsOfAll('show stat -1 2 -1'),
      this.#ask(`show map ${heldMap}`),
      this.#ask('show info'),
    ]);
    const upSeconds = Number(/^Uptime_sec: (\d+)$/m.exec(info)?.[1] ?? 0);
    return usageByEnvironment(tables, { rows, held: parseMap(held), upSeconds });
  }

  /** From this worker and those that end with their last request. */
  async #rowsOfAll(command: string): Promise<readonly StatRow[]> {
    const rows = [...parseStatRows(await this.#ask(command))];
    for (const { pid } of ((await listProcesses(this.#directory)) ?? []).filter((process) => process.role === 'old worker')) {
      const answer = await askSocket(join(this.#directory, masterSocket), `@!${pid} ${command}`);
      rows.push(...parseStatRows(answer ?? ''));
    }
    return rows;
  }

  async #perform(changes: readonly RuntimeChange[]): Promise<void> {
    for (const change of changes) {
      const answer = await this.#ask(changeCommand(change));
      if (!changeSucceeded(change, answer)) throw new CoppiceError('router-failed', `HAProxy refused a ${change.kind}: ${answer}`);
      recordChange(this.#known(), change);
    }
  }

  /** HAProxy refuses while a server has connections, idle ones too, so it is tried again after each change. */
  async #deleteIdleServers(): Promise<void> {
    const state = this.#state;
    if (!state) return;
    for (const [path, server] of state.servers) {
      if (server.state !== 'out') continue;
      const change = { kind: 'delete-server', path } as const;
      if (changeSucceeded(change, await this.#ask(changeCommand(change)))) recordChange(state, change);
    }
  }

  #known(): RuntimeState {
    if (!this.#state) throw new CoppiceError('internal', 'the state of the router was not read yet');
    return this.#state;
  }

  async #pid(): Promise<number | undefined> {
    const answer = await askSocket(join(this.#directory, workerSocket(this.layout)), 'show info');
    const pid = Number(/^Pid: (\d+)$/m.exec(answer ?? '')?.[1]);
    this.#lastPid = Number.isInteger(pid) ? pid : undefined;
    return this.#lastPid;
  }

  async #ask(command: string): Promise<string> {
    const answer = await askSocket(join(this.#directory, workerSocket(this.layout)), command);
    if (answer === undefined) throw new CoppiceError('router-failed', 'HAProxy does not run');
    return answer;
  }
}

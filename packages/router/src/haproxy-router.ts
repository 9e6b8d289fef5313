import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CoppiceError, type Digest, type EnvironmentId, type HoldCause, type RouteTable, routeTableDigest } from '@coppice/model';
import { type CompiledTable, compileTable } from './compiled-table.ts';
import { EnvironmentFiles } from './environment-files.ts';
import { configurationDigest, type HaproxySettings } from './haproxy-config.ts';
import { HaproxyFolder } from './haproxy-folder.ts';
import { type HaproxyRouterOptions, resolveOptions } from './haproxy-options.ts';
import { checkConfiguration, endProcesses, listProcesses, masterSocket, type ProcessSpec, startProcess } from './haproxy-process.ts';
import { HaproxyWorker } from './haproxy-worker.ts';
import type { Router, RouterUsage } from './router.ts';
import { checkEnvironmentId, checkRouteTable } from './router-validation.ts';
import { askSocket } from './runtime-socket.ts';
import { type AssignedTable, assignAnew, assignedTable, assignInPlace, layoutFits, layoutFor } from './slot-assignment.ts';
import { listenForWakes } from './wake-socket.ts';

/** The router on HAProxy 2.6. Makes nothing until `ensureRunning`. Throws `invalid-request` for an address it cannot listen on. */
export function createHaproxyRouter(options: HaproxyRouterOptions): Router {
  return new HaproxyRouter(options);
}

class HaproxyRouter implements Router {
  readonly address: string;
  readonly #options: HaproxyRouterOptions;
  readonly #settings: HaproxySettings;
  readonly #process: ProcessSpec;
  readonly #folder: HaproxyFolder;
  readonly #files: EnvironmentFiles;
  readonly #tables: Map<EnvironmentId, AssignedTable>;
  readonly #hosts = new Map<string, EnvironmentId>();
  /** What the running worker was started with, and our picture of it; undefined until found or after a failure. */
  #worker: HaproxyWorker | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: HaproxyRouterOptions) {
    const { process, settings } = resolveOptions(options);
    this.address = options.listen;
    this.#options = options;
    this.#process = process;
    this.#settings = settings;
    this.#folder = new HaproxyFolder(options.directory, this.#process.user);
    this.#folder.prepare();
    this.#files = new EnvironmentFiles(options.directory);
    this.#tables = this.#files.tables();
    for (const table of this.#tables.values()) this.#holdHosts(table);
  }

  async ensureRunning(): Promise<void> {
    if (!this.#worker?.isThere()) await this.#exclusively(() => this.#ready());
  }

  async apply(environment: EnvironmentId, table: RouteTable): Promise<void> {
    checkEnvironmentId(environment);
    checkRouteTable(table);
    await this.#exclusively(async () => {
      this.#refuseForeignHosts(environment, table);
      const worker = await this.#ready();
      const compiled = compileTable(table, this.#files.salt());
      const identity = { environment, digest: routeTableDigest(table), hosts: [...new Set(table.entries.map((entry) => entry.host))] };
      const before = this.#tables.get(environment);
      const previous = new Map(before?.groups.map((group) => [group.key, group.slot]));
      const slots = await this.#assignWithin(worker, { compiled, previous });
      if (slots) {
        const after = assignedTable(identity, { compiled, slots, before });
        this.#remember(after);
        await this.#change(worker, before, after);
        return;
      }
      const anew = assignAnew(compiled, { previous, used: this.#usedSlots(environment) });
      await this.#applyByReload(before, assignedTable(identity, { compiled, slots: anew, before }));
    });
  }

  async remove(environment: EnvironmentId): Promise<void> {
    checkEnvironmentId(environment);
    await this.#exclusively(async () => {
      const worker = await this.#ready();
      const before = this.#tables.get(environment);
      if (!before) return;
      this.#files.remove(environment);
      this.#forget(before);
      await this.#change(worker, before, undefined);
    });
  }

  async current(): Promise<ReadonlyMap<EnvironmentId, Digest>> {
    return await this.#exclusively(async () => {
      const worker = this.#worker ?? (await this.#find());
      const served = await worker?.verified(this.#tables);
      // A worker that is gone serves nothing, whatever lies on disk.
      if (served === undefined) this.#worker = undefined;
      return served ?? new Map<EnvironmentId, Digest>();
    });
  }

  async holding(): Promise<ReadonlyMap<EnvironmentId, HoldCause>> {
    const holds = new Map<EnvironmentId, HoldCause>();
    for (const [environment, { routes }] of this.#tables) {
      for (const [, value] of routes) {
        if (value.startsWith('hold_')) holds.set(environment, value.startsWith('hold_suspended/') ? 'suspended' : 'switching');
      }
    }
    return holds;
  }

  async openRequests(instance: string): Promise<number> {
    return await this.#exclusively(async () => {
      const worker = this.#worker ?? (await this.#find());
      return worker ? await worker.openRequests(instance) : 0;
    });
  }

  async *wakes(signal: AbortSignal): AsyncGenerator<EnvironmentId, void, undefined> {
    const { directory, user } = this.#process;
    for await (const environment of listenForWakes({ directory, user }, signal)) if (this.#tables.has(environment)) yield environment;
  }

  async usage(): Promise<ReadonlyMap<EnvironmentId, RouterUsage>> {
    return await this.#exclusively(async () => {
      const worker = this.#worker ?? (await this.#find());
      return worker && (await worker.alive()) ? await worker.usage(this.#tables.values()) : new Map<EnvironmentId, RouterUsage>();
    });
  }

  async shutdown(): Promise<void> {
    await this.#exclusively(async () => {
      this.#worker = undefined;
      await endProcesses(this.#options.directory);
      this.#folder.removeSockets();
    });
  }

  /** One change at a time: HAProxy's run-time state has no transactions of its own. */
  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => undefined);
    return await turn;
  }

  /** The running worker, brought to what is on disk; started where there is none. */
  async #ready(): Promise<HaproxyWorker> {
    if (this.#worker && (await this.#worker.alive())) return this.#worker;
    this.#worker = undefined;
    const found = await this.#find();
    if (!found) return await this.#start();
    const layout = found.layout;
    const runs = await found.configuration();
    if (runs !== configurationDigest(this.#settings, layout) || !layoutFits(this.#tables.values(), layout))
      return await this.#reload('another configuration');
    await found.converge(this.#tables.values());
    this.#worker = found;
    return found;
  }

  /** A worker that answers on the sockets of our folder, or undefined. */
  async #find(): Promise<HaproxyWorker | undefined> {
    const layout = this.#files.layout();
    if (!layout || (await listProcesses(this.#options.directory)) === undefined) return undefined;
    const worker = new HaproxyWorker(this.#options.directory, layout);
    return (await worker.alive()) ? worker : undefined;
  }

  async #start(): Promise<HaproxyWorker> {
    await endProcesses(this.#options.directory);
    this.#folder.prepare();
    this.#folder.removeSockets();
    const worker = this.#writeConfiguration();
    await startProcess(this.#process, () => worker.alone());
    this.#options.log(`router: started at ${this.address} with ${worker.layout.slots} slots`);
    await worker.converge(this.#tables.values());
    this.#worker = worker;
    return worker;
  }

  /** Starts a new worker from what is on disk, which takes over the listening sockets; the old one ends with its last request. */
  async #reload(why: string): Promise<HaproxyWorker> {
    this.#worker = undefined;
    const worker = this.#writeConfiguration();
    await checkConfiguration(this.#process);
    await askSocket(join(this.#options.directory, masterSocket), 'reload');
    const deadline = performance.now() + 20_000;
    while (!(await worker.alone())) {
      if (performance.now() > deadline)
        throw new CoppiceError('router-failed', 'HAProxy did not take over its new configuration within 20 s');
      await pause(10);
    }
    this.#options.log(`router: reloaded for ${why}, ${worker.layout.slots} slots`);
    await worker.converge(this.#tables.values());
    this.#worker = worker;
    return worker;
  }

  #writeConfiguration(): HaproxyWorker {
    const tables = [...this.#tables.values()];
    const before = this.#files.layout() ?? { generation: 0, slots: this.#options.slots ?? 256 };
    const layout = layoutFor(tables, before);
    this.#folder.writeConfiguration({ settings: this.#settings, layout, tables });
    this.#files.saveLayout(layout);
    return new HaproxyWorker(this.#options.directory, layout);
  }

  async #change(worker: HaproxyWorker, before: AssignedTable | undefined, after: AssignedTable | undefined): Promise<void> {
    try {
      await worker.swap(before, after);
    } catch (error) {
      // What the worker has now is unknown: the next call reads it again and repairs.
      this.#worker = undefined;
      throw error;
    }
  }

  /** A table whose configuration HAProxy does not take must not stay on disk: it would stop every other environment's changes. */
  async #applyByReload(before: AssignedTable | undefined, after: AssignedTable): Promise<void> {
    this.#remember(after);
    try {
      await this.#reload('other rules or more slots');
    } catch (error) {
      this.#files.remove(after.environment);
      this.#forget(after);
      if (before) this.#remember(before);
      throw error;
    }
  }

  async #assignWithin(
    worker: HaproxyWorker,
    { compiled, previous }: { readonly compiled: CompiledTable; readonly previous: ReadonlyMap<string, number> },
  ): Promise<ReadonlyMap<string, number> | undefined> {
    const needed = compiled.groups.filter((group) => !previous.has(group.key)).length;
    const free = needed === 0 ? [] : await worker.idleSlots(this.#usedSlots(undefined), needed);
    return assignInPlace(compiled, { previous, nextFree: () => free.shift() });
  }

  #usedSlots(except: EnvironmentId | undefined): Set<number> {
    const used = new Set<number>();
    for (const [environment, table] of this.#tables) if (environment !== except) for (const group of table.groups) used.add(group.slot);
    return used;
  }

  #refuseForeignHosts(environment: EnvironmentId, table: RouteTable): void {
    for (const { host } of table.entries) {
      const holder = this.#hosts.get(host);
      if (holder !== undefined && holder !== environment)
        throw new CoppiceError('conflict', `the host ${host} belongs to another environment`);
    }
  }

  /** On disk first: whatever happens next, the next call brings HAProxy to it. */
  #remember(table: AssignedTable): void {
    this.#files.save(table);
    const before = this.#tables.get(table.environment);
    if (before) this.#forget(before);
    this.#tables.set(table.environment, table);
    this.#holdHosts(table);
  }

  #forget(table: AssignedTable): void {
    this.#tables.delete(table.environment);
    for (const host of table.hosts) this.#hosts.delete(host);
  }

  #holdHosts(table: AssignedTable): void {
    for (const host of table.hosts) this.#hosts.set(host, table.environment);
  }
}

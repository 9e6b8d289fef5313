import type { BackupRecord } from '@coppice/state';
import type { GarbageItem } from '../data-commands.ts';
import type { Ports } from '../ports.ts';
import { defaultRetention } from './configured-retention.ts';
import type { DataKeeper } from './data-keeper.ts';
import { type NeededImage, neededImages } from './needed-images.ts';

export interface GarbageCollectorParts {
  readonly ports: Ports;
  readonly keeper: DataKeeper;
  /** Backups that nothing keeps any longer. */
  readonly outdated: () => readonly BackupRecord[];
}

/** Deletes what nothing needs: images, layers, bases, caches, copies of data, and what the engine holds of ours. Nothing that is not ours. */
export class GarbageCollector {
  readonly #parts: GarbageCollectorParts;

  constructor(parts: GarbageCollectorParts) {
    this.#parts = parts;
  }

  /** Everything there is, and why it stays or goes; `dryRun` deletes nothing. */
  async collect({ dryRun }: { readonly dryRun: boolean }): Promise<readonly GarbageItem[]> {
    const { ports, keeper } = this.#parts;
    const { engine, images, store, volumes } = ports;
    const { deployments } = ports.settings.retention ?? defaultRetention;
    const outdated = new Set(this.#parts.outdated().map(({ id }) => id));
    if (!dryRun) for (const id of outdated) store.backups.delete(id);
    // Both look before it is read what is needed: what comes into use from then on is spared.
    const own = await engine.ownImages();
    let needed: ReadonlyMap<string, NeededImage> = new Map();
    const garbage = await images.garbage(() => {
      const read = neededImages(store, { deployments, outdated });
      needed = read;
      const projects = new Set(store.projects.list().map(({ name }) => name));
      return { manifests: new Map([...read].map(([manifest, { why }]) => [manifest, why])), projects };
    });
    const keptConfigs = new Map([...needed.values()].map(({ pin, why }) => [pin.config, why]));
    for (const { config } of images.running()) keptConfigs.set(config, 'a build runs in it');
    const ofEngine = own.images.map(({ config, used }): GarbageItem => {
      const why = keptConfigs.get(config) ?? (used ? 'a container is made of it' : undefined);
      const kind = "the engine's image";
      return why === undefined
        ? { kind, id: config, action: 'delete', why: 'nothing that is kept runs it' }
        : { kind, id: config, action: 'keep', why };
    });
    const copies = (await keeper.garbage()).map((copy): GarbageItem => {
      if (!outdated.has(copy.id)) return { kind: 'snapshot', ...copy };
      return { kind: 'snapshot', id: copy.id, action: 'delete', why: 'a backup that had its time' };
    });
    const told = ({ kind, id, action, why }: GarbageItem): GarbageItem => ({ kind, id, action, why });
    if (dryRun) return [...garbage.items.map(told), ...ofEngine, ...copies];
    const collected = await images.collect(garbage);
    await engine.removeImages(own, new Set(own.images.map(({ config }) => config).filter((config) => !isKept(ofEngine, config))));
    for (const { id, action } of await keeper.garbage()) if (action === 'delete') await volumes.removeSnapshot(id);
    return [...collected.map(told), ...ofEngine, ...copies];
  }
}

function isKept(items: readonly GarbageItem[], config: string): boolean {
  return items.some(({ id, action }) => id === config && action === 'keep');
}

import { appendFileSync, readFileSync, statSync } from 'node:fs';
import type { Ports } from '@coppice/control';
import { engineEffects } from '@coppice/engine';
import type { Store } from '@coppice/state';
import { volumeEffects } from '@coppice/volumes';

/** Called with the name of each effect, right after it. */
export type AfterEffect = (name: string) => void;

const storeEffects: { readonly [Part in keyof Store]?: readonly (keyof Store[Part] & string)[] } = {
  environments: ['create', 'setDesired', 'setLive', 'delete', 'recordJob'],
  releases: ['resolve'],
  deployments: ['create', 'update', 'addPlan'],
  intents: ['create', 'setPhase', 'delete'],
  activities: ['create', 'update'],
  backups: ['create', 'delete'],
  trash: ['create', 'delete'],
};

/**
 * For tests only: `COPPICE_KILL_LOG` names a file that gets the name of every effect on the world, and `COPPICE_KILL_AT` a file with a number
 * N: the server kills itself right after the N-th effect since that file was written. Undefined where neither variable is set.
 */
export function killPoints(environment: NodeJS.ProcessEnv): AfterEffect | undefined {
  const { COPPICE_KILL_AT: at, COPPICE_KILL_LOG: log } = environment;
  if (at === undefined && log === undefined) return undefined;
  let seen = 0;
  let writtenMs: number | undefined;
  return (name) => {
    if (log !== undefined) appendFileSync(log, `${name}\n`);
    const file = at === undefined ? undefined : statSync(at, { throwIfNoEntry: false });
    if (at === undefined || file === undefined) return;
    seen = file.ctimeMs === writtenMs ? seen + 1 : 1;
    writtenMs = file.ctimeMs;
    if (seen === Number(readFileSync(at, 'utf8'))) process.kill(process.pid, 'SIGKILL');
  };
}

/** The ports, telling of each effect on the world once it is done; a transaction of the store is one. */
export function withAfterEffect(ports: Ports, after: AfterEffect): Ports {
  return {
    ...ports,
    engine: told(ports.engine, 'engine', { methods: engineEffects, after }),
    volumes: told(ports.volumes, 'volumes', { methods: volumeEffects, after }),
    router: told(ports.router, 'router', { methods: ['apply', 'remove'], after }),
    repositories: toldRepositories(ports.repositories, after),
    store: toldStore(ports.store, after),
  };
}

interface Told {
  readonly methods: readonly string[];
  readonly after: AfterEffect;
}

function told<Port extends object>(port: Port, name: string, { methods, after }: Told): Port {
  return new Proxy(port, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function') return member;
      const isEffect = methods.some((method) => method === key);
      return (...input: readonly unknown[]): unknown => {
        const result: unknown = Reflect.apply(member, target, input);
        if (!isEffect) return result;
        const effect = `${name}.${String(key)}`;
        if (result instanceof Promise) return result.finally(() => after(effect));
        after(effect);
        return result;
      };
    },
  });
}

function toldRepositories(repositories: Ports['repositories'], after: AfterEffect): Ports['repositories'] {
  const methods = ['updateRefs', 'commitTree', 'appendNote'];
  return {
    create: async (project) => await repositories.create(project),
    open: (project) => told(repositories.open(project), 'repository', { methods, after }),
    delete: async (project) => await repositories.delete(project),
    sweep: async () => await repositories.sweep(),
    close: async () => await repositories.close(),
  };
}

function toldStore(store: Store, after: AfterEffect): Store {
  let depth = 0;
  const outside: AfterEffect = (name) => {
    if (depth === 0) after(name);
  };
  const transaction: Store['transaction'] = (work) => {
    depth += 1;
    try {
      return store.transaction(work);
    } finally {
      depth -= 1;
      outside('store.transaction');
    }
  };
  const parts = Object.entries(storeEffects).map(([name, methods]) => [
    name,
    told(store[name as keyof typeof storeEffects] as object, `store.${name}`, { methods, after: outside }),
  ]);
  return { ...store, ...Object.fromEntries(parts), transaction };
}

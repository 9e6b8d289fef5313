import type { BehaviourOf } from '@coppice/engine';
import type { SeededRandom } from './seeded-random.ts';

/** One node of a random graph. It may need those of a higher index only, so there are no rings. */
export interface ShopNode {
  readonly index: number;
  readonly kind: 'application' | 'store';
  readonly version: number;
  readonly needs: readonly number[];
  readonly mount: 'none' | 'storage' | 'instance';
  readonly instances: number;
  readonly memoryMiB: number;
  readonly deploy: HookFate | undefined;
  readonly postDeploy: HookFate | undefined;
  readonly isRouted: boolean;
  /** `exits` and `never`: it does not become ready, so the release is refused. */
  readonly fate: 'serves' | 'exits' | 'never';
  /** Probes that fail before the first that succeeds. */
  readonly warmUp: number;
}

/** `slow` runs until the history ends it. */
type HookFate = 'works' | 'slow' | 'fails';

export type Shop = readonly ShopNode[];

/** Two to eight nodes; the first is an application and routed. */
export function randomShop(random: SeededRandom): Shop {
  const size = random.between(2, 8);
  return Array.from({ length: size }, (_, index) => randomNode(random, index, size));
}

function randomNode(random: SeededRandom, index: number, size: number): ShopNode {
  const kind = index > 0 && index >= size - 2 && random.chance(0.4) ? 'store' : 'application';
  const mount = kind === 'store' ? 'none' : random.pick(['none', 'none', 'storage', 'instance'] as const);
  const needs = Array.from({ length: size - index - 1 }, (_, offset) => index + 1 + offset).filter(() => random.chance(0.35));
  return {
    index,
    kind,
    version: 1,
    needs: kind === 'store' ? [] : needs,
    mount,
    instances: mount === 'instance' || kind === 'store' ? 1 : random.pick([1, 1, 2, 3]),
    memoryMiB: 128,
    deploy: kind === 'application' && random.chance(0.2) ? random.pick(['works', 'slow'] as const) : undefined,
    postDeploy: kind === 'application' && random.chance(0.1) ? 'works' : undefined,
    isRouted: index === 0 || (kind === 'application' && random.chance(0.3)),
    fate: 'serves',
    warmUp: random.between(0, 3),
  };
}

/** The graph after one change, as a commit might bring it: mostly sound, now and then one that cannot serve. */
export function changedShop(shop: Shop, random: SeededRandom): Shop {
  const healed = shop.map((node) => ({
    ...node,
    fate: 'serves' as const,
    deploy: node.deploy === 'fails' ? ('works' as const) : node.deploy,
  }));
  const at = random.between(0, healed.length - 1);
  const change = (overrides: (node: ShopNode) => Partial<ShopNode>): Shop =>
    healed.map((node) => (node.index === at ? { ...node, ...overrides(node) } : node));
  switch (random.weighted({ code: 6, mount: 2, needs: 2, instances: 2, hook: 1, route: 1, broken: 1, hookFails: 1, add: 1, drop: 1 })) {
    case 'code':
      return change(({ version }) => ({ version: version + 1 }));
    case 'mount':
      return change(({ kind, mount, version }) => {
        if (kind === 'store') return {};
        return { mount: mount === 'none' ? 'storage' : mount === 'storage' ? 'instance' : 'storage', instances: 1, version: version + 1 };
      });
    case 'needs':
      return change(({ kind, index }) => {
        const others = healed.filter((other) => other.index > index).map((other) => other.index);
        return kind === 'store' ? {} : { needs: others.filter(() => random.chance(0.5)) };
      });
    case 'instances':
      return change(({ kind, mount }) => (kind === 'store' || mount === 'instance' ? {} : { instances: random.between(1, 3) }));
    case 'hook':
      return change(({ kind, version }) =>
        kind === 'store' ? {} : { deploy: random.pick(['works', 'slow'] as const), version: version + 1 },
      );
    case 'route':
      return change(({ kind, index, isRouted }) => (kind === 'store' || index === 0 ? {} : { isRouted: !isRouted }));
    case 'broken':
      return change(({ kind, version }) =>
        kind === 'store' ? {} : { fate: random.chance(0.1) ? 'never' : 'exits', version: version + 1 },
      );
    case 'hookFails':
      return change(({ kind, version }) => (kind === 'store' ? {} : { deploy: 'fails', version: version + 1 }));
    case 'add':
      return healed.length >= 8
        ? change(({ version }) => ({ version: version + 1 }))
        : [...healed, randomNode(random, healed.length, healed.length + 1)];
    case 'drop': {
      const last = healed.length - 1;
      if (healed.length <= 2) return change(({ version }) => ({ version: version + 1 }));
      return healed.slice(0, -1).map((node) => ({ ...node, needs: node.needs.filter((need) => need !== last) }));
    }
  }
}

/** The graph with other sizes. */
export function resizedShop(shop: Shop, random: SeededRandom): Shop {
  const at = random.between(0, shop.length - 1);
  return shop.map((node) => (node.index === at ? { ...node, memoryMiB: random.pick([64, 128, 256, 512]) } : node));
}

/** The repository's file (JSON is YAML), and the content of each application's folder. */
export function shopFiles(shop: Shop): { readonly file: string; readonly folders: Readonly<Record<string, string>> } {
  const applications = shop.filter(({ kind }) => kind === 'application');
  const stores = shop.filter(({ kind }) => kind === 'store');
  const routes = applications.filter(({ isRouted }) => isRouted);
  const file = JSON.stringify({
    applications: Object.fromEntries(applications.map((node) => [nameOf(node.index), applicationOf(node)])),
    ...(stores.length === 0
      ? {}
      : {
          services: Object.fromEntries(
            stores.map(({ index, memoryMiB }) => [nameOf(index), { type: 'redis:7', resources: { memory: `${memoryMiB}M` } }]),
          ),
        }),
    routes: Object.fromEntries(routes.map(({ index }) => [urlOf(index), { type: 'upstream', upstream: `${nameOf(index)}:http` }])),
  });
  return { file, folders: Object.fromEntries(applications.map(({ index, version }) => [nameOf(index), `version ${version}`])) };
}

function applicationOf(node: ShopNode): object {
  const { index, needs, mount, instances, memoryMiB, deploy, postDeploy } = node;
  return {
    type: 'nodejs:24',
    source: { root: nameOf(index) },
    start: `node ${node.fate} warm${node.warmUp}`,
    healthcheck: { command: './check' },
    relationships: needs.map(nameOf),
    mounts: mount === 'none' ? {} : { data: { source: mount } },
    instances,
    resources: { memory: `${memoryMiB}M` },
    hooks: { ...(deploy ? { deploy: `./migrate ${deploy}` } : {}), ...(postDeploy ? { post_deploy: `./warm ${postDeploy}` } : {}) },
  };
}

function nameOf(index: number): string {
  return `n${index}`;
}

function urlOf(index: number): string {
  return index === 0 ? 'http://{default}/' : `http://{default}/n${index}/`;
}

/** How the processes of such files behave, read from what starts them. */
export const shopBehaviour: BehaviourOf = (argv) => {
  const text = argv.join(' ');
  if (text.includes('exits')) return { exits: { exitCode: 3 } };
  if (text.includes('never')) return { readyAfterProbes: Number.POSITIVE_INFINITY };
  if (text.includes('works')) return { exits: { exitCode: 0 } };
  if (text.includes('slow')) return {};
  if (text.includes('fails')) return { exits: { exitCode: 1 } };
  const warm = /warm(\d)/.exec(text)?.[1];
  return warm === undefined ? undefined : { readyAfterProbes: Number(warm) };
};

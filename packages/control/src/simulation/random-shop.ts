import type { BehaviourOf } from '@coppice/engine';
import type { SeededRandom } from './seeded-random.ts';

/** One node of a random graph. It may need those of a higher index only, so there are no rings. */
export interface ShopNode {
  readonly index: number;
  readonly kind: 'application' | 'store';
  /** What it is called; another once it moved. */
  readonly name: string;
  /** The name it had before, as the file says it. */
  readonly movedFrom: string | undefined;
  readonly type: string;
  readonly version: number;
  readonly needs: readonly number[];
  readonly mount: 'none' | 'storage' | 'instance';
  /** A worker that shares the application's storage. */
  readonly worker: boolean;
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

export interface Shop {
  readonly nodes: readonly ShopNode[];
  /** The application in which copies of the data are sanitised, and how that goes; undefined: they need not be. */
  readonly sanitize: { readonly index: number; readonly fate: HookFate } | undefined;
  /** A branch that begins without data. */
  readonly empty: string | undefined;
}

const stores = ['redis:6', 'redis:7', 'redis:8', 'postgresql:15', 'postgresql:17'] as const;
const applications = ['nodejs:24', 'python:3.13'] as const;

/** Two to eight nodes; the first is an application and routed. */
export function randomShop(random: SeededRandom): Shop {
  const size = random.between(2, 8);
  // With a single route requests wait at all there are, so that a deployment may give data back by itself.
  const isSingle = random.chance(0.5);
  const nodes = Array.from({ length: size }, (_, index) => randomNode(random, index, size)).map((node) =>
    isSingle && node.index > 0 ? { ...node, isRouted: false } : node,
  );
  return { nodes, sanitize: randomSanitize(random, nodes), empty: random.chance(0.05) ? 'side' : undefined };
}

function randomNode(random: SeededRandom, index: number, size: number): ShopNode {
  const kind = index > 0 && index >= size - 2 && random.chance(0.5) ? 'store' : 'application';
  const mounts = index === 0 ? (['none', 'storage', 'instance', 'instance'] as const) : (['none', 'none', 'storage', 'instance'] as const);
  const mount = kind === 'store' ? 'none' : random.pick(mounts);
  const needs = Array.from({ length: size - index - 1 }, (_, offset) => index + 1 + offset).filter(() => random.chance(0.35));
  return {
    index,
    kind,
    name: `n${index}`,
    movedFrom: undefined,
    type: kind === 'store' ? random.pick(stores) : 'nodejs:24',
    version: 1,
    needs: kind === 'store' ? [] : needs,
    mount,
    worker: mount === 'storage' && random.chance(0.2),
    instances: mount === 'instance' || kind === 'store' ? 1 : random.pick([1, 1, 2, 3]),
    memoryMiB: 128,
    deploy: kind === 'application' && random.chance(0.2) ? random.pick(['works', 'slow'] as const) : undefined,
    postDeploy: kind === 'application' && random.chance(0.1) ? 'works' : undefined,
    isRouted: index === 0 || (kind === 'application' && random.chance(0.3)),
    fate: 'serves',
    warmUp: random.between(0, 3),
  };
}

function randomSanitize(random: SeededRandom, nodes: readonly ShopNode[]): Shop['sanitize'] {
  if (!random.chance(0.3)) return undefined;
  const { index } = random.pick(nodes.filter(({ kind }) => kind === 'application'));
  return { index, fate: random.weighted({ works: 6, slow: 3, fails: 2 }) };
}

/** The graph after one change, as a commit might bring it: mostly sound, now and then one that cannot serve. */
export function changedShop(shop: Shop, random: SeededRandom): Shop {
  const healed = shop.nodes.map((node) => ({
    ...node,
    movedFrom: random.chance(0.5) ? node.movedFrom : undefined,
    fate: 'serves' as const,
    deploy: node.deploy === 'fails' ? ('works' as const) : node.deploy,
  }));
  const at = random.between(0, healed.length - 1);
  const withNodes = (nodes: readonly ShopNode[]): Shop => ({ ...shop, nodes });
  const change = (overrides: (node: ShopNode) => Partial<ShopNode>): Shop =>
    withNodes(healed.map((node) => (node.index === at ? { ...node, ...overrides(node) } : node)));
  switch (random.weighted(changes)) {
    case 'code':
      return change(({ version }) => ({ version: version + 1 }));
    case 'mount':
      return change(({ kind, mount, version }) => {
        if (kind === 'store') return {};
        return { mount: mount === 'none' ? 'storage' : mount === 'storage' ? 'instance' : 'storage', instances: 1, version: version + 1 };
      });
    case 'unmount':
      return change(() => ({ mount: 'none', worker: false }));
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
      return withNodes(broken(healed, random.pick(healed), random));
    case 'hookFails':
      return change(({ kind, version }) => (kind === 'store' ? {} : { deploy: 'fails', version: version + 1 }));
    case 'move':
      return change(({ name }) => ({ name: renamed(name), movedFrom: random.chance(0.9) ? name : undefined }));
    case 'retype':
      return change(({ kind }) => ({ type: random.pick(kind === 'store' ? stores : applications) }));
    case 'sanitize':
      return { ...withNodes(healed), sanitize: randomSanitize(random, healed) };
    case 'add':
      return healed.length >= 8
        ? change(({ version }) => ({ version: version + 1 }))
        : withNodes([...healed, randomNode(random, healed.length, healed.length + 1)]);
    case 'drop': {
      const last = healed.length - 1;
      if (healed.length <= 2) return change(({ version }) => ({ version: version + 1 }));
      const nodes = healed.slice(0, -1).map((node) => ({ ...node, needs: node.needs.filter((need) => need !== last) }));
      return { ...withNodes(nodes), sanitize: shop.sanitize?.index === last ? undefined : shop.sanitize };
    }
  }
}

/** The graph with a node that cannot serve, for which requests wait while it is replaced; where there is none, one that is alone with data from now on. */
export function brokenShop(shop: Shop, random: SeededRandom): Shop {
  const alone = shop.nodes.filter(({ mount }) => mount === 'instance');
  if (alone.length > 0) return { ...shop, nodes: broken(shop.nodes, random.pick(alone), random) };
  const nodes = shop.nodes.map((node) =>
    node.index === 0 ? { ...node, mount: 'instance' as const, worker: false, instances: 1, version: node.version + 1 } : node,
  );
  return { ...shop, nodes };
}

function broken(nodes: readonly ShopNode[], { index }: ShopNode, random: SeededRandom): readonly ShopNode[] {
  const fate = random.chance(0.1) ? 'never' : 'exits';
  return nodes.map((node) => (node.index === index && node.kind !== 'store' ? { ...node, fate, version: node.version + 1 } : node));
}

const changes = {
  code: 6,
  mount: 2,
  unmount: 0.5,
  needs: 2,
  instances: 2,
  hook: 1,
  route: 1,
  broken: 1.5,
  hookFails: 1,
  move: 2,
  retype: 2,
  sanitize: 1,
  add: 1,
  drop: 1.5,
} as const;

/** `n3` and `m3` in turn. */
function renamed(name: string): string {
  return `${name.startsWith('n') ? 'm' : 'n'}${name.slice(1)}`;
}

/** Nodes whose data the second file has no use for, or another node's: what a push has to let go by name. */
export function lostNodes(before: Shop, after: Shop): readonly string[] {
  return before.nodes.flatMap((node) => {
    if (!keepsData(node)) return [];
    const next = after.nodes.find(({ name }) => name === node.name) ?? after.nodes.find(({ movedFrom }) => movedFrom === node.name);
    return next && keepsData(next) && next.type === node.type ? [] : [node.name];
  });
}

/** Whether data goes from name to name, or is let go. */
export function changesData(before: Shop, after: Shop): boolean {
  return lostNodes(before, after).length > 0 || after.nodes.some((node) => !before.nodes.some(({ name }) => name === node.name));
}

function keepsData({ kind, mount }: ShopNode): boolean {
  return kind === 'store' || mount !== 'none';
}

/** The graph with other sizes. */
export function resizedShop(shop: Shop, random: SeededRandom): Shop {
  const at = random.between(0, shop.nodes.length - 1);
  const nodes = shop.nodes.map((node) => (node.index === at ? { ...node, memoryMiB: random.pick([64, 128, 256, 512]) } : node));
  return { ...shop, nodes };
}

/** The repository's file (JSON is YAML), and the content of each application's folder. */
export function shopFiles(shop: Shop): { readonly file: string; readonly folders: Readonly<Record<string, string>> } {
  const { nodes, sanitize, empty } = shop;
  const own = nodes.filter(({ kind }) => kind === 'application');
  const provided = nodes.filter(({ kind }) => kind === 'store');
  const routes = own.filter(({ isRouted }) => isRouted);
  const file = JSON.stringify({
    applications: Object.fromEntries(own.map((node) => [node.name, applicationOf(node, nodes)])),
    ...(provided.length === 0 ? {} : { services: Object.fromEntries(provided.map((node) => [node.name, serviceOf(node)])) }),
    routes: Object.fromEntries(routes.map(({ index, name }) => [urlOf(index), { type: 'upstream', upstream: `${name}:http` }])),
    ...(sanitize ? { data: { sanitize: { node: nameOf(sanitize.index, nodes), run: `./sanitize ${sanitize.fate}` } } } : {}),
    ...(empty === undefined ? {} : { environments: [{ match: empty, data: 'empty' }] }),
  });
  return { file, folders: Object.fromEntries(own.map(({ index, version }) => [`f${index}`, `version ${version}`])) };
}

function applicationOf(node: ShopNode, nodes: readonly ShopNode[]): object {
  const { index, type, needs, mount, worker, instances, memoryMiB, deploy, postDeploy } = node;
  return {
    type,
    source: { root: `f${index}` },
    start: `node ${node.fate} warm${node.warmUp}`,
    healthcheck: { command: './check' },
    relationships: needs.map((need) => nameOf(need, nodes)),
    mounts: mount === 'none' ? {} : { data: { source: mount } },
    ...(worker && mount === 'storage' ? { workers: { tidy: { commands: { start: 'node serves warm0' } } } } : {}),
    ...movedOf(node),
    instances,
    resources: { memory: `${memoryMiB}M` },
    hooks: { ...(deploy ? { deploy: `./migrate ${deploy}` } : {}), ...(postDeploy ? { post_deploy: `./warm ${postDeploy}` } : {}) },
  };
}

function serviceOf(node: ShopNode): object {
  return { type: node.type, resources: { memory: `${node.memoryMiB}M` }, ...movedOf(node) };
}

function movedOf({ movedFrom }: ShopNode): object {
  return movedFrom === undefined ? {} : { moved: { from: movedFrom } };
}

function nameOf(index: number, nodes: readonly ShopNode[]): string {
  return nodes[index]?.name ?? `n${index}`;
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

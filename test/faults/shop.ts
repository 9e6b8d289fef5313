import { tinyApp } from '../e2e/harness/tiny-app.ts';
import { type Clone, mustRun, type TestServer } from '../e2e/harness.ts';

/** What of a shop's files changes. */
export interface ShopLook {
  readonly answer: string;
  readonly memory: number;
  readonly clients: number;
  readonly hook: string;
}

export const plainLook: ShopLook = { answer: 'one', memory: 128, clients: 100, hook: '' };
const paths = { '/kept': 'response.end((await import("node:fs")).readFileSync("kept/marker"));' };

/** An application with storage beside a Redis, and the data that was written to both at first. */
export class Shop {
  readonly clone: Clone;
  readonly name: string;
  readonly #server: TestServer;
  #look = plainLook;
  #count = 0;

  private constructor(server: TestServer, clone: Clone, name: string) {
    this.#server = server;
    this.clone = clone;
    this.name = name;
  }

  static async open(server: TestServer, name: string, source: 'storage' | 'instance' = 'storage'): Promise<Shop> {
    const shop = new Shop(server, await server.project(name), name);
    shop.#files = (look) => shopFiles(look, source);
    await shop.clone.deploy(shop.#files(plainLook));
    await mustRun('docker', ['exec', await shop.#container('web'), 'sh', '-c', `echo ${name} > kept/marker`]);
    await shop.#redis('SET', 'marker', name);
    return shop;
  }

  #files: (look: ShopLook) => ReturnType<typeof tinyApp> = shopFiles;

  host(branch = 'main'): string {
    return `${branch}.${this.name}.localhost`;
  }

  get path(): string {
    return `/v1/projects/${this.name}/environments/main`;
  }

  /** A number that was not given before. */
  next(): number {
    this.#count += 1;
    return this.#count;
  }

  /** Commits the files with that about them changed. */
  async commit(change: Partial<ShopLook>): Promise<void> {
    this.#look = { ...this.#look, ...change };
    await this.clone.commit(this.#files(this.#look));
  }

  /** What is wrong with what `main` answers and with the data written at first. */
  async wrong(): Promise<string | undefined> {
    const [{ body }, kept, redis] = await Promise.all([
      this.#server.request(this.host()),
      this.#server.request(this.host(), '/kept'),
      this.#redis('GET', 'marker'),
    ]);
    if (body !== this.#look.answer) return `${this.host()} answers "${body}", not "${this.#look.answer}"`;
    if (kept.body.trim() !== this.name) return `the file that was written is gone: ${kept.status} ${kept.body}`;
    return redis.trim() === this.name ? undefined : `what Redis kept is gone: ${redis}`;
  }

  async #redis(...words: readonly string[]): Promise<string> {
    const script = `REDISCLI_AUTH=$(cat /run/redis/admin) redis-cli -s /run/redis/redis.sock --user coppice --no-auth-warning ${words.join(' ')}`;
    return await mustRun('docker', ['exec', await this.#container('cache'), 'sh', '-c', script]);
  }

  async #container(node: string): Promise<string> {
    const labels = { server: this.#server.serverId, project: this.name, node, kind: 'instance' };
    const filters = Object.entries(labels).flatMap(([label, value]) => ['--filter', `label=coppice.${label}=${value}`]);
    const ids = (await mustRun('docker', ['ps', '--quiet', ...filters])).split('\n').slice(0, -1);
    // Other branches of the project have one too; that of `main` is the oldest.
    return ids.at(-1) ?? `no-${node}`;
  }
}

/** The files of a shop that looks so. */
export function shopFiles({ answer, memory, clients, hook }: ShopLook, source = 'storage'): ReturnType<typeof tinyApp> {
  const hooks = hook === '' ? '' : `    hooks: { deploy: ${hook} }\n`;
  const yaml = `applications:
  web:
    type: nodejs:24
    start: node server.mjs
    relationships: [cache]
    mounts: { kept: ${source} }
    resources: { memory: ${memory}M }
${hooks}services:
  cache: { type: redis:7, configuration: { properties: { maxclients: ${clients} } } }
`;
  return tinyApp({ answer, yaml, paths });
}

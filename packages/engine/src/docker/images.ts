import type { Digest, ImagePin } from '@coppice/model';
import { CoppiceError } from '@coppice/model';
import { type DockerConnection, unlessStatus } from './docker-connection.ts';

/** Our own registry, as the engine reaches it. */
export interface RegistryAccess {
  /** `127.0.0.1:PORT`, asked at each pull since the port may change. */
  address(): string;
  readonly token: string;
}

/** Images by content on one engine. */
export class DockerImages {
  readonly #connection: DockerConnection;
  readonly #registry: RegistryAccess;
  readonly #pulling = new Map<Digest, Promise<void>>();

  readonly #repository: string;

  constructor(connection: DockerConnection, registry: RegistryAccess, serverId: string) {
    this.#connection = connection;
    this.#registry = registry;
    this.#repository = `coppice-${serverId.toLowerCase()}`;
  }

  /** Pulls what is not there; one pull at a time per image, however many ask. */
  async ensure(image: ImagePin): Promise<void> {
    if (await this.#present(image)) return;
    const running = this.#pulling.get(image.config);
    if (running !== undefined) return running;
    const pulling = this.#pull(image).finally(() => this.#pulling.delete(image.config));
    this.#pulling.set(image.config, pulling);
    return pulling;
  }

  /** Of those given, the ones that are there, by configuration digest. */
  async present(images: readonly ImagePin[]): Promise<ReadonlySet<Digest>> {
    const present = await Promise.all(images.map((image) => this.#present(image)));
    return new Set(images.filter((_, index) => present[index]).map((image) => image.config));
  }

  /** Takes away the names under which this server pulled, and with them every image that nobody else names or uses. */
  async removeOwn(): Promise<void> {
    const all = await this.#connection.json<readonly { readonly RepoDigests: readonly string[] | null }[]>({
      method: 'GET',
      path: '/images/json',
    });
    const own = all.flatMap((image) => image.RepoDigests ?? []).filter((name) => name.includes(`/${this.#repository}@`));
    for (const name of own) {
      await unlessStatus([404, 409], this.#connection.json({ method: 'DELETE', path: `/images/${name}` }));
    }
  }

  async #present(image: ImagePin): Promise<boolean> {
    const found = await unlessStatus([404], this.#connection.json<object>({ method: 'GET', path: `/images/${imageName(image)}/json` }));
    return found !== undefined;
  }

  async #pull(image: ImagePin): Promise<void> {
    const registry = this.#registry.address();
    const reference = image.foreign ?? `${registry}/${this.#repository}@${image.manifest}`;
    const progress = await this.#connection.stream({
      method: 'POST',
      path: '/images/create',
      query: { fromImage: reference },
      ...(image.foreign === undefined
        ? { credentials: { username: 'coppice', password: this.#registry.token, serveraddress: registry } }
        : {}),
    });
    const failure = await readPullFailure(progress);
    if (failure !== undefined) throw new CoppiceError('engine-failed', `cannot pull ${reference}: ${failure}`);
    if (!(await this.#present(image))) {
      throw new CoppiceError('engine-failed', `pulled ${reference}, but its configuration is not ${image.config}`);
    }
  }
}

/** What the engine knows an image by: ours by its configuration, so that no address of a registry enters; a foreign one by its reference. */
export function imageName(image: ImagePin): string {
  return image.foreign ?? image.config;
}

async function readPullFailure(progress: NodeJS.ReadableStream): Promise<string | undefined> {
  let rest = '';
  let failure: string | undefined;
  progress.setEncoding('utf8');
  for await (const chunk of progress) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) failure = pullError(line) ?? failure;
  }
  return pullError(rest) ?? failure;
}

function pullError(line: string): string | undefined {
  if (!line.includes('"error"')) return undefined;
  const message: unknown = JSON.parse(line);
  return typeof message === 'object' && message !== null && 'error' in message ? String(message.error) : undefined;
}

import type { Digest, ImagePin } from '@coppice/model';
import { CoppiceError } from '@coppice/model';
import { type DockerConnection, unlessStatus } from './docker-connection.ts';

/** Our own registry, as the engine reaches it. */
export interface RegistryAccess {
  /** `127.0.0.1:PORT`, asked at each pull since the port may change. */
  address(): string;
  readonly token: string;
}

interface ImageNames {
  readonly RepoTags: readonly string[] | null;
  readonly RepoDigests: readonly string[] | null;
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
    const known = await this.#inspect(image);
    if (known !== undefined) return await this.#hold(image, known);
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

  /** Takes away the names this server gave, and with them every image that nobody else names or uses. */
  async removeOwn(): Promise<void> {
    const all = await this.#connection.json<readonly ImageNames[]>({ method: 'GET', path: '/images/json' });
    const own = all.flatMap((image) => this.#ownNames(image));
    for (const name of own) {
      await unlessStatus([404, 409], this.#connection.json({ method: 'DELETE', path: `/images/${name}` }));
    }
  }

  /** An image that another server pulled gets a name of ours too, so that it stays when the other one's goes. */
  async #hold(image: ImagePin, known: ImageNames): Promise<void> {
    if (image.foreign !== undefined || this.#ownNames(known).length > 0) return;
    const query = { repo: this.#repository, tag: image.manifest.slice('sha256:'.length) };
    await this.#connection.json({ method: 'POST', path: `/images/${imageName(image)}/tag`, query, repeatable: true });
  }

  #ownNames({ RepoTags, RepoDigests }: ImageNames): readonly string[] {
    const names = [...(RepoTags ?? []), ...(RepoDigests ?? [])];
    return names.filter((name) => name.startsWith(`${this.#repository}:`) || name.includes(`/${this.#repository}@`));
  }

  async #present(image: ImagePin): Promise<boolean> {
    return (await this.#inspect(image)) !== undefined;
  }

  async #inspect(image: ImagePin): Promise<ImageNames | undefined> {
    return await unlessStatus([404], this.#connection.json<ImageNames>({ method: 'GET', path: `/images/${imageName(image)}/json` }));
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

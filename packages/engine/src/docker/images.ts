import type { Digest, ImagePin } from '@coppice/model';
import { CoppiceError } from '@coppice/model';
import type { OwnImages } from '../engine.ts';
import { type DockerConnection, unlessStatus } from './docker-connection.ts';

/** Our own registry, as the engine reaches it. */
export interface RegistryAccess {
  /** `127.0.0.1:PORT`, asked at each pull since the port may change. */
  address(): string;
  readonly token: string;
}

interface ImageSummary extends ImageNames {
  readonly Id: string;
  readonly Size: number;
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
  readonly #removing = new Map<Digest, Promise<void>>();
  /** The count of `ensure` at which each was last asked for. */
  readonly #ensured = new Map<Digest, number>();
  #ensures = 0;

  readonly #repository: string;
  readonly #ownName: RegExp;

  constructor(connection: DockerConnection, registry: RegistryAccess, serverId: string) {
    this.#connection = connection;
    this.#registry = registry;
    this.#repository = `coppice-${serverId.toLowerCase()}`;
    // What our registry gave, at whatever port it was; and the tag by which we hold what another server pulled.
    this.#ownName = new RegExp(`^(?:127\\.0\\.0\\.1:\\d+/${this.#repository}@sha256|${this.#repository}):[0-9a-f]{64}$`);
  }

  /** Pulls what is not there; one pull at a time per image, however many ask. */
  async ensure(image: ImagePin): Promise<void> {
    this.#ensured.set(image.config, this.#ensures++);
    await this.#removing.get(image.config);
    const known = await this.#inspect(image);
    if (known !== undefined && (await this.#hold(image, known))) return;
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

  /** Images that have a name of ours. */
  async own(): Promise<OwnImages> {
    const mark = this.#ensures;
    const [all, used] = await Promise.all([this.#list(), this.#used()]);
    const own = all.filter((image) => this.#ownNames(image).length > 0);
    return { images: own.map(({ Id, Size }) => ({ config: Id as Digest, bytes: Size, used: used.has(Id) })), mark };
  }

  /** Takes our names away from those of the listing that were not ensured since and that no container uses. Answers which. */
  async remove({ images, mark }: OwnImages, configurations: ReadonlySet<Digest>): Promise<ReadonlySet<Digest>> {
    const used = await this.#used();
    const gone = new Set<Digest>();
    for (const { config } of images) {
      // in one turn with the beginning of the removal, which `ensure` waits for
      if (!configurations.has(config) || used.has(config) || (this.#ensured.get(config) ?? -1) >= mark) continue;
      const removing = this.#removeNames(config).finally(() => this.#removing.delete(config));
      this.#removing.set(
        config,
        removing.then(
          () => undefined,
          () => undefined,
        ),
      );
      if (await removing) gone.add(config);
    }
    return gone;
  }

  /** Takes away the names this server gave, and with them every image that nobody else names or uses. */
  async removeOwn(): Promise<void> {
    for (const name of (await this.#list()).flatMap((image) => this.#ownNames(image))) await this.#untag(name);
  }

  /** Whether none of our names is left: the engine keeps the last one of what a container is made of. */
  async #removeNames(config: Digest): Promise<boolean> {
    const known = await unlessStatus([404], this.#connection.json<ImageNames>({ method: 'GET', path: `/images/${config}/json` }));
    const untagged: boolean[] = [];
    for (const name of known ? this.#ownNames(known) : []) untagged.push(await this.#untag(name));
    return untagged.every((isGone) => isGone);
  }

  async #untag(name: string): Promise<boolean> {
    const removed = unlessStatus([404], this.#connection.json({ method: 'DELETE', path: `/images/${name}` }));
    return (
      (await unlessStatus(
        [409],
        removed.then(() => true),
      )) ?? false
    );
  }

  async #list(): Promise<readonly ImageSummary[]> {
    return await this.#connection.json({ method: 'GET', path: '/images/json' });
  }

  /** Ids of the images that containers are made of, everybody's. */
  async #used(): Promise<ReadonlySet<string>> {
    const query = { all: 'true' };
    const containers = await this.#connection.json<readonly { readonly ImageID: string }[]>({
      method: 'GET',
      path: '/containers/json',
      query,
    });
    return new Set(containers.map(({ ImageID }) => ImageID));
  }

  /** An image that another server pulled gets a name of ours too, so that it stays when the other one's goes. False where it went just now. */
  async #hold(image: ImagePin, known: ImageNames): Promise<boolean> {
    if (image.foreign !== undefined || this.#ownNames(known).length > 0) return true;
    const query = { repo: this.#repository, tag: image.manifest.slice('sha256:'.length) };
    const tagged = this.#connection.json({ method: 'POST', path: `/images/${imageName(image)}/tag`, query, repeatable: true });
    return await isThere(tagged);
  }

  #ownNames({ RepoTags, RepoDigests }: ImageNames): readonly string[] {
    const names = [...(RepoTags ?? []), ...(RepoDigests ?? [])];
    return names.filter((name) => this.#ownName.test(name));
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

/** False where the engine does not know (any more) what the call is about. */
async function isThere(call: Promise<unknown>): Promise<boolean> {
  return (
    (await unlessStatus(
      [404],
      call.then(() => true),
    )) ?? false
  );
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

import { chown, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CoppiceError } from '@coppice/model';
import { bareRepository } from './bare-repository.ts';
import { GitHost, type Log } from './git-host.ts';
import { effectiveGitUser, type GitUser } from './git-user.ts';
import { writeHooks } from './hook-script.ts';
import { ListingCache } from './listing-cache.ts';
import { ObjectProcess, type ObjectSource } from './object-process.ts';
import { createObjectReader } from './object-reader.ts';
import type { ObjectReader } from './receiver.ts';
import type { Repositories, Repository } from './repository.ts';
import { SerialQueue } from './serial-queue.ts';
import { endOrphans, sweepRepository } from './sweep.ts';

export interface RepositoriesOptions {
  /** Holds `<project id>.git`; made where missing. All folders above it must be passable for `user`. */
  readonly directory: string;
  /** Where the hooks are written; same condition. */
  readonly hooksDirectory: string;
  /** Who git runs as where we are root; otherwise it runs as ourselves. */
  readonly user?: GitUser;
  readonly log: Log;
  /** Default 2 GiB. */
  readonly maxPackBytes?: number;
  /** After which an unused `cat-file` ends; default a minute. */
  readonly readerIdleMs?: number;
}

/** What the HTTP side needs besides the contract. */
export interface GitRepositories extends Repositories {
  readonly host: GitHost;
  /** Absolute path of a project's bare repository. */
  path(project: string): string;
  /** Reads the repository's objects; the same for all callers. */
  source(project: string): ObjectSource;
  /** A reader of the project on another source: a quarantine. */
  reader(project: string, source: ObjectSource): ObjectReader;
  /** A `cat-file` of its own; the caller closes it. */
  startReader(project: string, environment: Readonly<Record<string, string>>): ObjectProcess;
  /** Counts a push as living until the function it returns is called; `stop` is called when the server closes. */
  enter(project: string, stop: () => void): () => void;
  /** Whether a push lives in the project's repository. */
  isReceiving(project: string): boolean;
  /** Packs what many small pushes left; never drops an object, also no unreachable one: deployments are reverted to. */
  maintain(project: string): Promise<void>;
}

/** What a push that is told to stop may still take. */
const stopGraceMs = 5000;
const minimumVersion = [2, 37] as const;
const projectPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$/;

/** Opens all repositories below a folder. Throws `missing-tool` without a git that can do it, `git-failed` where its user cannot get there. */
export async function openRepositories(options: RepositoriesOptions): Promise<GitRepositories> {
  const directory = resolve(options.directory);
  const hooksDirectory = resolve(options.hooksDirectory);
  const user = effectiveGitUser(options.user);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (user) await chown(directory, user.uid, user.gid);
  await writeHooks(hooksDirectory);
  if (user) await Promise.all([dirname(directory), hooksDirectory].map(checkPassable));
  const settings = { hooksDirectory, directory, maxPackBytes: options.maxPackBytes ?? 2 * 1024 ** 3 };
  const host = new GitHost({ settings, user, log: options.log });
  await checkVersion(host);
  return new BareRepositories(host, options.readerIdleMs ?? 60_000);
}

class BareRepositories implements GitRepositories {
  readonly host: GitHost;
  readonly #readerIdleMs: number;
  readonly #cache = new ListingCache();
  readonly #open = new Map<string, { readonly repository: Repository; readonly process: ObjectProcess }>();
  readonly #pushes = new Map<symbol, { readonly project: string; readonly stop: () => void }>();

  constructor(host: GitHost, readerIdleMs: number) {
    this.host = host;
    this.#readerIdleMs = readerIdleMs;
  }

  path(project: string): string {
    if (!projectPattern.test(project)) throw new CoppiceError('not-found', 'there is no such repository');
    return join(this.host.settings.directory, `${project}.git`);
  }

  async create(project: string): Promise<void> {
    const args = ['init', '--quiet', '--bare', '--template=', '--initial-branch=main', this.path(project)];
    await this.host.expect({ args });
  }

  open(project: string): Repository {
    return this.#opened(project).repository;
  }

  source(project: string): ObjectSource {
    return this.#opened(project).process;
  }

  reader(project: string, source: ObjectSource): ObjectReader {
    return createObjectReader({ project, source, cache: this.#cache });
  }

  startReader(project: string, environment: Readonly<Record<string, string>>): ObjectProcess {
    const args = ['--git-dir', this.path(project), 'cat-file', '--batch-command', '--buffer'];
    return new ObjectProcess({ start: () => this.host.spawn({ args, environment }), idleMs: this.#readerIdleMs });
  }

  enter(project: string, stop: () => void): () => void {
    const key = Symbol(project);
    this.#pushes.set(key, { project, stop });
    return () => void this.#pushes.delete(key);
  }

  isReceiving(project: string): boolean {
    return [...this.#pushes.values()].some((push) => push.project === project);
  }

  async delete(project: string): Promise<void> {
    const path = this.path(project);
    for (const push of this.#pushes.values()) if (push.project === project) push.stop();
    await this.#quiet(() => !this.isReceiving(project));
    this.#open.get(project)?.process.close();
    this.#open.delete(project);
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }

  async maintain(project: string): Promise<void> {
    const path = this.path(project);
    await this.host.expect({ args: ['--git-dir', path, 'pack-refs', '--all'] });
    await this.host.expect({ args: ['--git-dir', path, 'repack', '-d', '-l', '--cruft', '--quiet'] });
  }

  async sweep(): Promise<void> {
    const { directory } = this.host.settings;
    const busy = new Set([...this.#pushes.values()].map((push) => `${push.project}.git`));
    if (busy.size === 0 && this.#open.size === 0) await endOrphans(directory, this.host.log);
    for (const name of await readdir(directory)) {
      if (name.endsWith('.git') && !busy.has(name)) await sweepRepository(join(directory, name), this.host.log);
    }
  }

  async close(): Promise<void> {
    for (const push of this.#pushes.values()) push.stop();
    await this.#quiet(() => this.#pushes.size === 0);
    for (const { process } of this.#open.values()) process.close();
    await this.host.end();
  }

  async #quiet(condition: () => boolean): Promise<void> {
    const deadline = performance.now() + stopGraceMs;
    while (!condition() && performance.now() < deadline) await delay(10);
  }

  #opened(project: string): { readonly repository: Repository; readonly process: ObjectProcess } {
    const known = this.#open.get(project);
    if (known) return known;
    const process = this.startReader(project, {});
    const objects = this.reader(project, process);
    const parts = { host: this.host, path: this.path(project), source: process, objects, notes: new SerialQueue() };
    const opened = { repository: bareRepository(parts), process };
    this.#open.set(project, opened);
    return opened;
  }
}

async function checkVersion(host: GitHost): Promise<void> {
  const said = await host.run({ args: ['version'] });
  const [, major, minor] = /^git version (\d+)\.(\d+)/.exec(said.stdout.toString('utf8')) ?? [];
  const found = [Number(major), Number(minor)] as const;
  if (found[0] > minimumVersion[0] || (found[0] === minimumVersion[0] && found[1] >= minimumVersion[1])) return;
  const have = major === undefined ? `it did not start (${said.stderr || 'are git and prlimit there?'})` : `found ${major}.${minor}`;
  throw new CoppiceError('missing-tool', `git ${minimumVersion.join('.')} or newer and prlimit (util-linux) are needed: ${have}`);
}

/** Another user gets to a folder only if all above it let others pass. */
async function checkPassable(folder: string): Promise<void> {
  for (let at = folder; ; at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) {
      throw new CoppiceError('git-failed', `git's own user cannot reach ${folder}: ${at} lets nobody else pass`, {
        hint: `chmod o+x ${at}`,
      });
    }
    if (at === dirname(at)) return;
  }
}

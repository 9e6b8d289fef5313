import { watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clone, mustRun, type TestServer } from '../../test/e2e/harness.ts';
import { firstAnswer, firstAnswerThat, type Place } from './ask.ts';
import { livingApplication, partsOf } from './living-application.ts';

/** A project whose `main` holds so much data, and clones of it. */
export class LivingEnvironment {
  readonly megabytes: number;
  readonly clone: Clone;
  readonly #server: TestServer;
  readonly #project: string;

  private constructor(server: TestServer, project: string, clone: Clone, megabytes: number) {
    this.#server = server;
    this.#project = project;
    this.clone = clone;
    this.megabytes = megabytes;
  }

  /** Deploys and fills it; resolves when all of that is on disk. */
  static async open(server: TestServer, megabytes: number): Promise<LivingEnvironment> {
    const project = `living-${megabytes}`;
    const clone = await server.project(project);
    await clone.deploy(livingApplication('first'));
    const environment = new LivingEnvironment(server, project, clone, megabytes);
    for (const part of partsOf(megabytes)) {
      const path = `/fill?rows=${part.rows}&keys=${part.keys}&files=${part.files}`;
      const { status, body } = await server.request(environment.host('main'), path, { method: 'POST', timeoutMs: 120_000 });
      if (status !== 200) throw new Error(`filling answered ${status}: ${body}`);
    }
    await mustRun('sync', ['--file-system', '--', join(server.data, 'volumes')]);
    return environment;
  }

  host(branch: string): string {
    return `${branch}.${this.#project}.localhost`;
  }

  place(branch: string): Place {
    const [address = '', port = ''] = this.#server.routerAddress.split(':');
    return { address, port: Number(port), host: this.host(branch), path: '/newest' };
  }

  /** What was written last, of each store. */
  async newest(branch: string): Promise<string> {
    return await this.#read(branch, '/newest');
  }

  /** Checksums over all data. */
  async digest(branch: string): Promise<string> {
    return await this.#read(branch, '/digest');
  }

  /** Pushes a new branch; resolves with the time from starting git to its first answer with what `main` holds, in ms. */
  async cloneMs(branch: string): Promise<number> {
    return await this.#answerMs(branch, await this.newest('main'), async () => await this.push(`HEAD:refs/heads/${branch}`));
  }

  /** The same while `main` is written to: to the first answer with a row that is no older than the newest at the start. */
  async busyCloneMs(branch: string): Promise<number> {
    const rowOf = (answer: string): number => Number(/^row (\d+) /.exec(answer)?.[1]);
    const newest = rowOf(await this.newest('main'));
    const startedMs = performance.now();
    const answered = firstAnswerThat(this.place(branch), { what: `a row from ${newest} on`, is: (body) => rowOf(body) >= newest });
    const [answeredMs] = await Promise.all([answered, this.push(`HEAD:refs/heads/${branch}`)]);
    return answeredMs - startedMs;
  }

  /** The same without data, to any answer with no rows. */
  async emptyMs(branch: string): Promise<number> {
    const nothing = 'row undefined undefined; key null d41d8cd98f00b204e9800998ecf8427e; file null d41d8cd98f00b204e9800998ecf8427e';
    return await this.#answerMs(branch, nothing, async () => await this.push(`HEAD:refs/heads/${branch}`, ['no-clone']));
  }

  /** Writes something, deploys, writes more, and goes back with data: from starting the command to the first answer with what was there, in ms. */
  async revertMs(version: string): Promise<number> {
    const before = await this.newest('main');
    const live = await this.#live();
    await this.clone.git('fetch', '--quiet', 'origin');
    await this.clone.git('reset', '--quiet', '--hard', 'origin/main');
    await this.clone.deploy(livingApplication(version));
    await this.write();
    if ((await this.newest('main')) === before) throw new Error('nothing was written before the revert');
    return await this.#answerMs('main', before, async () => {
      const { code, stderr } = await this.#server.cli('revert', live, '--with-data', '--project', this.#project);
      if (code !== 0) throw new Error(`the revert failed:\n${stderr}`);
    });
  }

  /** A hundred kilobytes more on `main`. */
  async write(): Promise<void> {
    const { status, body } = await this.#server.request(this.host('main'), '/', { method: 'POST' });
    if (status !== 200) throw new Error(`writing answered ${status}: ${body}`);
  }

  async push(refspecs: string | readonly string[], options: readonly string[] = []): Promise<void> {
    const { code, output } = await this.clone.push(refspecs, { options });
    if (code !== 0) throw new Error(`the push was refused:\n${output}\n${this.#server.log.slice(-2000)}`);
  }

  /** Deletes branches, and their data from the trash. */
  async remove(...branches: readonly string[]): Promise<void> {
    await this.push(branches.map((branch) => `:refs/heads/${branch}`));
    const { code, stderr } = await this.#server.cli('trash', 'empty', '--project', this.#project);
    if (code !== 0) throw new Error(stderr);
  }

  /** Clones while the server is stopped (SIGSTOP) as soon as the copy lies in its place; resolves with what `look` found then. */
  async stoppedClone<Found>(branch: string, look: (data: string) => Promise<Found>): Promise<Found> {
    const { pid } = this.#server;
    if (pid === undefined) throw new Error('the server does not run');
    const volumes = join(this.#server.data, 'volumes');
    const before = new Set(await readdir(volumes));
    const placed = Promise.withResolvers<string>();
    const watcher = watch(volumes, (_, name) => {
      if (name === null || !name.startsWith('e_') || before.has(name)) return;
      process.kill(pid, 'SIGSTOP');
      placed.resolve(join(volumes, name, 'data'));
    });
    const cloned = this.cloneMs(branch);
    try {
      return await Promise.race([placed.promise.then(look), cloned.then(() => Promise.reject(new Error('no copy was seen')))]);
    } finally {
      watcher.close();
      process.kill(pid, 'SIGCONT');
      await cloned;
    }
  }

  async #answerMs(branch: string, expected: string, change: () => Promise<void>): Promise<number> {
    const startedMs = performance.now();
    const [answeredMs] = await Promise.all([firstAnswer(this.place(branch), expected), change()]);
    return answeredMs - startedMs;
  }

  async #live(): Promise<string> {
    const response = await this.#server.api(`/v1/projects/${this.#project}/environments/main`);
    return ((await response.json()) as { readonly deployment: string }).deployment;
  }

  async #read(branch: string, path: string): Promise<string> {
    const { status, body } = await this.#server.request(this.host(branch), path, { timeoutMs: 300_000 });
    if (status !== 200) throw new Error(`${path} answered ${status}: ${body}`);
    return body;
  }
}

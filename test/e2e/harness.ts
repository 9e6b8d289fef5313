import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Clone } from './harness/clone.ts';
import { makeFolder, orphanedFolders, removeFolder } from './harness/data-folder.ts';
import { type ContainerState, containerStates, type Inspection, inspectContainers } from './harness/docker-state.ts';
import { freePort } from './harness/free-port.ts';
import { type RouterAnswer, type RouterRequest, routerRequest } from './harness/router-request.ts';
import { mustRun, type ProgramOptions, type ProgramResult, runProgram } from './harness/run-program.ts';
import { coppice, endServer, launchServer, type ServerProcess } from './harness/server-process.ts';
import { tracesOf } from './harness/traces.ts';

export { Clone, type FileTexts, type PushFlags, type PushResult } from './harness/clone.ts';
export type { RouterAnswer, RouterRequest } from './harness/router-request.ts';
export { mustRun, type ProgramResult, runProgram } from './harness/run-program.ts';
export { type Deadline, until } from './harness/until.ts';

/** What a run of the `coppice` command gave. */
export interface CliResult extends ProgramResult {
  /** Standard output as one JSON document; throws with all that was said where it is none. */
  json<Value>(): Value;
}

export interface CliOptions extends ProgramOptions {
  /** Beside the clean environment that has only COPPICE_URL, COPPICE_TOKEN and PATH; undefined takes one away. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
}

export interface ServerSettings {
  /** Further arguments of `coppice server`. */
  readonly args?: readonly string[];
  /** Further variables of the server. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Called with the server's folder before the server starts for the first time. */
  readonly prepare?: (folder: string) => Promise<void>;
}

/**
 * A real server in a data directory of its own, on free ports, in a session of its own. `await TestServer.start()` before the tests,
 * `await server.stop()` after them: that takes all of it down and fails where anything is left on the machine.
 */
export class TestServer {
  /** Holds the data directory, the clones and the server's log. */
  readonly folder: string;
  readonly data: string;
  /** host:port of API and git; the same after a restart. */
  readonly apiAddress: string;
  /** host:port of the router. */
  readonly routerAddress: string;
  readonly #settings: ServerSettings;
  #process: ServerProcess | undefined;

  private constructor(folder: string, ports: { readonly api: number; readonly router: number }, settings: ServerSettings) {
    this.folder = folder;
    this.data = join(folder, 'data');
    this.apiAddress = `127.0.0.1:${ports.api}`;
    this.routerAddress = `127.0.0.1:${ports.router}`;
    this.#settings = settings;
  }

  /** Clears what killed test runs left, then starts a server and resolves once it is ready. */
  static async start(settings: ServerSettings = {}): Promise<TestServer> {
    for (const orphan of orphanedFolders()) {
      if (existsSync(join(orphan, 'data'))) await mustRun(coppice, ['server', 'down', '--data', join(orphan, 'data')]);
      await removeFolder(orphan);
    }
    const server = new TestServer(makeFolder(), { api: await freePort(), router: await freePort() }, settings);
    mkdirSync(join(server.folder, 'clones'));
    await settings.prepare?.(server.folder);
    await server.launch();
    return server;
  }

  /** URL of the API, no trailing slash. */
  get url(): string {
    return `http://${this.apiAddress}`;
  }

  /** The administrator's token. */
  get token(): string {
    return readFileSync(join(this.data, 'admin-token'), 'utf8').trim();
  }

  get serverId(): string {
    return readFileSync(join(this.data, 'server-id'), 'utf8').trim();
  }

  /** Process id of the server, which leads its process group. */
  get pid(): number | undefined {
    return this.#process?.child.pid;
  }

  /** What the server said when it was ready last. */
  get readyLine(): string {
    return this.#process?.readyLine ?? '';
  }

  /** All that the server wrote to its log, over restarts. */
  get log(): string {
    return readFileSync(join(this.folder, 'server.log'), 'utf8');
  }

  /** Starts the server again after `kill` or `terminate`, in the same place. */
  async launch(): Promise<void> {
    this.#process = await launchServer({
      data: this.data,
      listen: this.apiAddress,
      router: this.routerAddress,
      log: join(this.folder, 'server.log'),
      env: { PATH: process.env['PATH'], ...this.#settings.variables },
      args: this.#settings.args ?? [],
    });
  }

  /** SIGKILL to the server's process group; resolves once it is gone. */
  async kill(): Promise<void> {
    if (this.#process) await endServer(this.#process, 'SIGKILL');
  }

  /** SIGTERM to the server's process group; resolves once it is gone. */
  async terminate(): Promise<void> {
    if (this.#process) await endServer(this.#process, 'SIGTERM');
  }

  /** Runs `coppice …` as the administrator of this server, outside of any clone. */
  async cli(...args: readonly string[]): Promise<CliResult> {
    return await this.cliWith({}, ...args);
  }

  /** The same with a working directory, input or variables. */
  async cliWith({ variables = {}, ...options }: CliOptions, ...args: readonly string[]): Promise<CliResult> {
    const env = { PATH: process.env['PATH'], COPPICE_URL: this.url, COPPICE_TOKEN: this.token, ...variables };
    const result = await runProgram(coppice, args, { cwd: this.folder, env, ...options });
    return { ...result, json: <Value>() => parseOutput<Value>(args, result) };
  }

  /** Standard output of a command as JSON; throws where it fails. `--json` is added. */
  async read<Value>(...args: readonly string[]): Promise<Value> {
    const result = await this.cli(...args, '--json');
    assert.equal(result.code, 0, `coppice ${args.join(' ')} ended with ${result.code}:\n${result.stdout}${result.stderr}`);
    return result.json<Value>();
  }

  /** Creates a project and a working copy that pushes to it; with the files of an example where one is named. */
  async project(name: string, example?: string): Promise<Clone> {
    const created = await this.cli('project', 'create', name);
    assert.equal(created.code, 0, created.stderr);
    return await Clone.create(join(this.folder, 'clones'), this.remote(name), example);
  }

  /** A fresh clone of a project. */
  async clone(project: string): Promise<Clone> {
    return await Clone.of(join(this.folder, 'clones'), this.remote(project));
  }

  /** Git URL of a project, with the token in it. */
  remote(project: string): string {
    return `http://x:${this.token}@${this.apiAddress}/git/${project}.git`;
  }

  /** Asks the router for a path of a host, e.g. `main.shop.localhost`. */
  async request(host: string, path = '/', asked: RouterRequest = {}): Promise<RouterAnswer> {
    return await routerRequest(this.routerAddress, host, path, asked);
  }

  /** Asks the HTTP API as the administrator. */
  async api(path: string, init: RequestInit = {}): Promise<Response> {
    return await fetch(`${this.url}${path}`, { ...init, headers: { authorization: `Bearer ${this.token}`, ...init.headers } });
  }

  /** All containers of this server as the engine describes them. */
  async containers(): Promise<readonly Inspection[]> {
    return await inspectContainers(this.serverId);
  }

  /** Their ids, sorted. */
  async dockerIds(): Promise<readonly string[]> {
    return (await this.containers()).map(({ Id }) => Id).sort();
  }

  /** What of all containers stays the same while nobody touches them. */
  async dockerState(): Promise<readonly ContainerState[]> {
    return await containerStates(this.serverId);
  }

  /** Digests of all that was ever built here or downloaded for building. */
  async builtImages(): Promise<readonly string[]> {
    return (await readdir(join(this.data, 'images'), { recursive: true })).filter((path) => /[0-9a-f]{64}/.test(path)).sort();
  }

  /** Takes the server and all that it runs down; throws where anything of it is left on the machine. */
  async stop(): Promise<void> {
    const { serverId, data } = this;
    await mustRun(coppice, ['server', 'down', '--data', data]);
    const left = await tracesOf({ serverId, data });
    await removeFolder(this.folder);
    assert.deepEqual(left, [], 'coppice server down left something behind');
  }
}

function parseOutput<Value>(args: readonly string[], { code, stdout, stderr }: ProgramResult): Value {
  try {
    return JSON.parse(stdout) as Value;
  } catch (error) {
    throw new Error(`coppice ${args.join(' ')} (exit code ${code}) printed no JSON:\n${stdout}${stderr}`, { cause: error });
  }
}

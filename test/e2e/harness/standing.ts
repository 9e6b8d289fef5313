import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestServer } from '../harness.ts';
import { mustRun } from './run-program.ts';
import { mountsBelow } from './traces.ts';

/** All that a refused push of a project must leave as it was. Two of them are compared as values. */
export interface Standing {
  /** `id name` of each ref of the project. */
  readonly refs: readonly string[];
  /** `id name state` of each container of the project. */
  readonly containers: readonly string[];
  /** Name, status and deployment of each environment. */
  readonly environments: readonly string[];
}

/** What only stands while a push is on its way. */
export interface Halves {
  /** Containers of build steps. */
  readonly builds: readonly string[];
  readonly mounts: readonly string[];
  readonly loops: readonly string[];
  readonly quarantines: readonly string[];
  /** Networks of environments that are not in `environments`. */
  readonly networks: readonly string[];
}

export const noHalves: Halves = { builds: [], mounts: [], loops: [], quarantines: [], networks: [] };

/** What a project has now. */
export async function standingOf(server: TestServer, project: string): Promise<Standing> {
  const [refs, containers, environments] = await Promise.all([
    mustRun('git', ['ls-remote', server.remote(project)]),
    docker(
      server,
      'ps',
      '--all',
      '--no-trunc',
      '--filter',
      `label=coppice.project=${project}`,
      '--format',
      '{{.ID}} {{.Names}} {{.State}}',
    ),
    environmentsOf(server, project),
  ]);
  return {
    refs: lines(refs),
    containers,
    environments: environments.map(({ name, status, deployment }) => `${name} ${status} ${deployment}`).sort(),
  };
}

/** What is half done now; equal to `noHalves` while no push is on its way. */
export async function halvesOf(server: TestServer): Promise<Halves> {
  const projects = (await (await server.api('/v1/projects')).json()) as { readonly items: readonly { readonly name: string }[] };
  const environments = await Promise.all(projects.items.map(({ name }) => environmentsOf(server, name)));
  const [builds, networks, loops] = await Promise.all([
    docker(server, 'ps', '--all', '--filter', 'label=coppice.kind=build', '--format', '{{.Names}}'),
    docker(server, 'network', 'ls', '--filter', 'label=coppice.kind=network', '--format', '{{.Name}}'),
    mustRun('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE']),
  ]);
  const surplus = networks.length - environments.flat().length;
  return {
    builds,
    mounts: mountsBelow(join(server.data, 'builds')),
    loops: lines(loops).filter((file) => file.includes(join(server.data, 'builds'))),
    quarantines: quarantinesOf(server),
    networks: surplus > 0 ? networks : [],
  };
}

interface EnvironmentRow {
  readonly name: string;
  readonly status: string;
  readonly deployment: string | null;
}

async function environmentsOf(server: TestServer, project: string): Promise<readonly EnvironmentRow[]> {
  const answer = await server.api(`/v1/projects/${project}/environments`);
  return ((await answer.json()) as { readonly items: readonly EnvironmentRow[] }).items;
}

function quarantinesOf(server: TestServer): readonly string[] {
  const repositories = join(server.data, 'repositories');
  return readdirSync(repositories).flatMap((name) => {
    const objects = join(repositories, name, 'objects');
    if (!existsSync(objects)) return [];
    return readdirSync(objects).filter((entry) => entry.startsWith('tmp_') || entry.endsWith('.lock'));
  });
}

async function docker(server: TestServer, ...args: readonly string[]): Promise<readonly string[]> {
  const [command = '', ...rest] = args;
  const words = command === 'network' ? [command, ...rest.slice(0, 1)] : [command];
  const own = ['--filter', `label=coppice.server=${server.serverId}`];
  return lines(await mustRun('docker', [...words, ...own, ...rest.slice(words.length - 1)])).toSorted();
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

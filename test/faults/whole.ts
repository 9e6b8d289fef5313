import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { EnvironmentView } from '@coppice/control';
import { halvesOf, noHalves } from '../e2e/harness/standing.ts';
import type { TestServer } from '../e2e/harness.ts';
import { mustRun } from '../e2e/harness.ts';
import { wrongData } from './whole-data.ts';

/** A row of the state that says what one environment shall be. */
export interface EnvironmentRow {
  readonly id: string;
  readonly project: string;
  readonly name: string;
  readonly branch: string;
  readonly wanted: number;
  readonly run: 'up' | 'suspended';
  readonly attempt: string | null;
  readonly live: string | null;
  /** Of the live deployment. */
  readonly commit_id: string | null;
}

/**
 * What is wrong with a server that is to be at rest, as one line; undefined where all is whole: nothing is under way or half done, each
 * branch is at what its environment runs, what shall run is there and nothing else, plans are empty, and data is where records say.
 */
export async function wrongWith(server: TestServer): Promise<string | undefined> {
  const state = stateOf(server);
  if (state.unfinished.length > 0) return `left unfinished: ${state.unfinished.join(', ')}`;
  for (const row of state.environments) {
    const wrong = wrongRow(row) ?? (await wrongStatus(server, row));
    if (wrong !== undefined) return `${row.project}/${row.name}: ${wrong}`;
  }
  const halves = await halvesOf(server);
  if (JSON.stringify(halves) !== JSON.stringify(noHalves)) return `half done: ${JSON.stringify(halves)}`;
  const locks = readdirSync(join(server.data, 'repositories'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.lock'),
  );
  if (locks.length > 0) return `locks are left: ${locks.join(', ')}`;
  return (await wrongRefs(server, state.environments)) ?? (await wrongContainers(server, state.environments)) ?? (await wrongData(server));
}

function wrongRow(row: EnvironmentRow): string | undefined {
  if (row.wanted === 0) return 'it is still being deleted';
  if (row.live === null) return 'it never served, and is there';
  return row.attempt === row.live ? undefined : 'what is desired is not what is live';
}

async function wrongStatus(server: TestServer, row: EnvironmentRow): Promise<string | undefined> {
  const path = `/v1/projects/${row.project}/environments/${row.name}`;
  const view = (await (await server.api(path)).json()) as EnvironmentView;
  const wanted = row.run === 'up' ? 'active' : 'suspended';
  if (view.status !== wanted) return `it is ${view.status}, not ${wanted}`;
  // A plan is what deploying would change: of one that sleeps, everything.
  if (row.run === 'suspended') return undefined;
  const plan = (await (await server.api(`${path}/plan`)).json()) as { readonly steps?: readonly { readonly id: string }[] };
  return plan.steps?.length === 0 ? undefined : `its plan is not empty: ${plan.steps?.map(({ id }) => id).join() ?? JSON.stringify(plan)}`;
}

async function wrongRefs(server: TestServer, environments: readonly EnvironmentRow[]): Promise<string | undefined> {
  for (const project of new Set(environments.map((row) => row.project))) {
    const listed = await mustRun('git', ['ls-remote', server.remote(project), 'refs/heads/*']);
    const wanted = environments.filter((row) => row.project === project).map((row) => `${row.commit_id}\trefs/heads/${row.branch}`);
    if (sorted(listed.split('\n').slice(0, -1)) !== sorted(wanted)) return `branches are ${listed}, but live is ${wanted.join()}`;
  }
  return undefined;
}

/** All containers run, for environments that are up; none is one of a job or of an environment that is gone or sleeps. */
async function wrongContainers(server: TestServer, environments: readonly EnvironmentRow[]): Promise<string | undefined> {
  const format = '{{.Names}} {{.State}} {{.Label "coppice.kind"}} {{.Label "coppice.environment"}}';
  const filter = `label=coppice.server=${server.serverId}`;
  const lines = (await mustRun('docker', ['ps', '--all', '--filter', filter, '--format', format])).split('\n').slice(0, -1);
  const up = environments.filter((row) => row.run === 'up').map((row) => row.id);
  const stray = lines.filter((line) => {
    const [, state, kind, environment = ''] = line.split(' ');
    return state !== 'running' || kind !== 'instance' || !up.includes(environment);
  });
  if (stray.length > 0) return `stray containers: ${stray.join(', ')}`;
  const empty = up.find((id) => !lines.some((line) => line.endsWith(` ${id}`)));
  return empty === undefined ? undefined : `nothing runs of ${empty}`;
}

/** What the state's file says, read beside the server. */
export function stateOf(server: TestServer): { readonly environments: readonly EnvironmentRow[]; readonly unfinished: readonly string[] } {
  const database = new DatabaseSync(join(server.data, 'state.db'), { readOnly: true });
  const all = <Row>(sql: string): readonly Row[] => database.prepare(sql).all() as unknown as Row[];
  try {
    const environments = all<EnvironmentRow>(
      `SELECT e.id, e.project, e.name, e.branch, e.wanted, e.run, e.attempt, e.live, d.commit_id
       FROM environments e LEFT JOIN deployments d ON d.id = e.live ORDER BY e.sequence`,
    );
    const unfinished = all<{ readonly text: string }>(
      `SELECT 'intent ' || ref || ' ' || phase AS text FROM intents
       UNION ALL SELECT 'activity ' || kind FROM activities WHERE state = 'running'
       UNION ALL SELECT 'deployment ' || status FROM deployments WHERE finished_at IS NULL`,
    );
    return { environments, unfinished: unfinished.map(({ text }) => text) };
  } finally {
    database.close();
  }
}

function sorted(lines: readonly string[]): string {
  return [...lines].sort().join('\n');
}

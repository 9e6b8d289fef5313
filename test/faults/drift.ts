import type { ActivityView, EnvironmentView } from '@coppice/control';
import { type TestServer, until } from '../e2e/harness.ts';
import type { DriftKind } from './drift-kinds.ts';
import type { FaultRow } from './fault-row.ts';
import { wrongWith } from './whole.ts';

const limitMs = 5_000;

/** Does one kind of drift and measures until it is repaired: requests answered, the plan empty, and an activity that says why. */
export async function drift(server: TestServer, project: string, kind: DriftKind): Promise<FaultRow> {
  const lost: string[] = [];
  const path = `/v1/projects/${project}/environments/main`;
  await until(async () => (await wrongWith(server)) === undefined, { what: 'all is whole before' });
  const before = new Set((await repairs(server, project)).map(({ id }) => id));
  const startedMs = performance.now();
  await kind.act();
  const isRepaired = async (): Promise<boolean> => {
    const answer = await server.request(`main.${project}.localhost`, '/', { timeoutMs: 2_000 }).catch(() => undefined);
    if (answer?.status !== 200 || !(await kind.isRepaired())) return false;
    const { status } = (await (await server.api(path)).json()) as EnvironmentView;
    const plan = (await (await server.api(`${path}/plan`)).json()) as { readonly steps?: readonly unknown[] };
    const noted = kind.reason === undefined || (await repairs(server, project)).some(({ id }) => !before.has(id));
    return status === 'active' && plan.steps?.length === 0 && noted;
  };
  let ms = Number.NaN;
  try {
    await until(isRepaired, { what: `${kind.name} is repaired`, everyMs: 50, withinMs: 20_000 });
    ms = performance.now() - startedMs;
    if (ms > limitMs) lost.push(`repaired only after ${Math.round(ms)} ms`);
    if (kind.reason) lost.push(...(await missingReason(server, { project, before, reason: kind.reason })));
  } catch (error) {
    ms = performance.now() - startedMs;
    lost.push(String(error));
  }
  return { group: 'drift', name: kind.name, tried: 1, requests: 0, lost, longestMs: ms };
}

interface Wanted {
  readonly project: string;
  readonly before: ReadonlySet<string>;
  readonly reason: RegExp;
}

async function missingReason(server: TestServer, { project, before, reason }: Wanted): Promise<readonly string[]> {
  const made = (await repairs(server, project)).filter(({ id }) => !before.has(id));
  const logs = await Promise.all(made.map(async ({ id }) => await (await server.api(`/v1/activities/${id}/log`)).text()));
  const said = made.map(({ cause }, index) => `${cause}: ${logs[index]}`).join('\n');
  return reason.test(said) ? [] : [`no activity says why it was repaired: ${said}`];
}

async function repairs(server: TestServer, project: string): Promise<readonly ActivityView[]> {
  const answer = await server.api(`/v1/activities?project=${project}`);
  return ((await answer.json()) as { readonly items: readonly ActivityView[] }).items.filter(({ kind }) => kind === 'repair');
}

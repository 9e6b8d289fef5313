import type { Repository } from '@coppice/git';
import { CoppiceError, type EnvironmentId, type GitId } from '@coppice/model';
import type { EnvironmentRecord, Store } from '@coppice/state';
import { defaultEnvironment } from '../history/find.ts';

export interface ParentQuestion {
  readonly store: Store;
  readonly repository: Repository;
  readonly project: string;
  readonly commit: GitId;
  /** The name the push asked for. */
  readonly asked: string | undefined;
}

/** The environment a new branch stems from: as asked, else the one with the nearest merge base; ties go to the default, then the oldest. */
export async function parentOf(question: ParentQuestion): Promise<EnvironmentId | undefined> {
  const { store, project, asked } = question;
  const environments = store.environments.list(project).filter((environment) => environment.live !== undefined);
  if (asked !== undefined) {
    const named = environments.find((environment) => environment.name === asked || environment.branch === asked);
    if (!named) throw new CoppiceError('not-found', `push option parent=${asked}: the project has no such environment that serves`);
    return named.id;
  }
  const preferred = defaultEnvironment(store, project)?.id;
  const distances = await Promise.all(environments.map((environment) => distanceTo(environment, question)));
  const candidates = environments
    .map((environment, index) => ({ environment, distance: distances[index] ?? Number.POSITIVE_INFINITY }))
    .sort(
      (a, b) =>
        a.distance - b.distance ||
        Number(b.environment.id === preferred) - Number(a.environment.id === preferred) ||
        a.environment.sequence - b.environment.sequence,
    );
  return candidates[0]?.environment.id ?? preferred;
}

async function distanceTo(environment: EnvironmentRecord, { store, repository, commit }: ParentQuestion): Promise<number> {
  const live = environment.live && store.deployments.get(environment.live);
  if (!live) return Number.POSITIVE_INFINITY;
  return (await repository.mergeBase(commit, live.commit))?.ahead ?? Number.POSITIVE_INFINITY;
}

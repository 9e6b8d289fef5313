import type { GitRepositories } from '@coppice/git';
import type { Store } from '@coppice/state';
import type { Log } from './logger.ts';

const everyMs = 24 * 60 * 60 * 1000;

/** Packs every repository once a day, one after another; never drops an object. Answers how to stop. */
export function startMaintenance(repositories: Pick<GitRepositories, 'maintain'>, store: Pick<Store, 'projects'>, log: Log): () => void {
  const timer = setInterval(() => void maintainAll(repositories, store, log), everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** A repository that cannot be packed is logged, and the next one has its turn. */
export async function maintainAll(
  repositories: Pick<GitRepositories, 'maintain'>,
  store: Pick<Store, 'projects'>,
  log: Log,
): Promise<void> {
  for (const { id, name } of store.projects.list()) {
    try {
      await repositories.maintain(id);
    } catch (error) {
      log('repository.unpacked', { project: name, error });
    }
  }
}

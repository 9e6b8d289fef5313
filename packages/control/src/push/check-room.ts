import { CoppiceError } from '@coppice/model';
import type { Ports } from '../ports.ts';

/** Throws `limit-exceeded` where so many more environments are more than a project may have. */
export function checkRoom({ store, settings }: Pick<Ports, 'store' | 'settings'>, project: string, fresh: number): void {
  const count = store.environments.list(project).length;
  if (fresh === 0 || count + fresh <= settings.maxEnvironments) return;
  throw new CoppiceError('limit-exceeded', `project "${project}" has ${count} environments and may have ${settings.maxEnvironments}`, {
    hint: 'delete a branch first: git push origin --delete BRANCH',
  });
}

import { join } from 'node:path';
import { activityStore } from './activities.ts';
import { backupStore } from './backups.ts';
import { type Clock, systemClock } from './clock.ts';
import { Database } from './database.ts';
import { deploymentStore } from './deployments.ts';
import { environmentStore } from './environments.ts';
import { intentStore } from './intents.ts';
import { migrate } from './migrate.ts';
import { projectStore } from './projects.ts';
import { releaseStore } from './releases.ts';
import { secretStore } from './secrets.ts';
import type { Store } from './store.ts';
import { tokenStore } from './tokens.ts';
import { trashStore } from './trash.ts';

/** Where the state lies, and what time it is. */
export interface StoreOptions {
  /** Made where missing; holds `state.db` and `secret.key`. */
  readonly directory: string;
  /** The machine's where left out. */
  readonly clock?: Clock;
}

/** Opens the state in a directory, migrating what an older version wrote. Throws `state-failed`. */
export function openStore({ directory, clock = systemClock }: StoreOptions): Store {
  const database = new Database(join(directory, 'state.db'));
  try {
    migrate(database);
  } catch (error) {
    database.close();
    throw error;
  }
  return {
    projects: projectStore(database, clock),
    environments: environmentStore(database, clock),
    releases: releaseStore(database, clock),
    deployments: deploymentStore(database, clock),
    intents: intentStore(database),
    backups: backupStore(database, clock),
    trash: trashStore(database, clock),
    activities: activityStore(database, clock),
    secrets: secretStore(database, join(directory, 'secret.key')),
    tokens: tokenStore(database, clock),
    transaction: (work) => database.transaction(work),
    close: () => database.close(),
  };
}

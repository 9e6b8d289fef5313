import { CoppiceError, type DeploymentId, type EnvironmentId } from '@coppice/model';
import type { Database } from './database.ts';
import { opaqueId } from './opaque-id.ts';
import type { Intent, IntentStore } from './store.ts';
import { parseStored } from './stored-json.ts';

interface IntentRow {
  readonly id: string;
  readonly project: string;
  readonly environment: EnvironmentId;
  readonly ref: string;
  readonly previous: string;
  readonly next: string;
  readonly deployment: DeploymentId | null;
  readonly actor: string;
  readonly options: string;
  readonly phase: Intent['phase'];
}

/** The ref changes on their way, oldest first. */
export function intentStore(database: Database): IntentStore {
  return {
    create(intent) {
      const { project, environment, ref, previous, next, deployment, actor, options, phase } = intent;
      const made: Intent = {
        id: opaqueId('i'),
        project,
        environment,
        ref,
        previous,
        next,
        deployment,
        actor,
        options: [...options],
        phase,
      };
      database.run(
        `INSERT INTO intents (id, project, environment, ref, previous, next, deployment, actor, options, phase)
         VALUES (@id, @project, @environment, @ref, @previous, @next, @deployment, @actor, @options, @phase)`,
        { ...made, options: JSON.stringify(made.options) },
      );
      return made;
    },
    setPhase(id, phase) {
      const { changes } = database.run('UPDATE intents SET phase = @phase WHERE id = @id', { id, phase });
      if (changes === 0) throw new CoppiceError('not-found', `there is no intent ${id}`);
    },
    list: () =>
      database.all<IntentRow & { readonly sequence: number }>('SELECT * FROM intents ORDER BY sequence').map(({ sequence: _, ...row }) => ({
        ...row,
        deployment: row.deployment ?? undefined,
        options: parseStored<readonly string[]>(row.options),
      })),
    delete(id) {
      database.run('DELETE FROM intents WHERE id = @id', { id });
    },
  };
}

import type { EngineListing } from '@coppice/engine';
import type { EnvironmentRecord } from '@coppice/state';
import type { ControlPlane } from '../control-plane.ts';
import { repositoryOf } from '../environment/repository-of.ts';
import { deploymentNamed, environmentNamed, projectNamed } from '../history/find.ts';
import { environmentDetail, environmentView } from '../history/views.ts';
import { laneOf } from '../push/deploy-push.ts';
import { refOfBranch } from '../push/push-refs.ts';
import type { CommandParts } from './parts.ts';

type EnvironmentCommands = Pick<
  ControlPlane,
  'listEnvironments' | 'showEnvironment' | 'deleteEnvironment' | 'redeploy' | 'revert' | 'suspend' | 'resume'
>;

/** Environments: what there is, and what people change about them without a push. */
export function environmentCommands(parts: CommandParts): EnvironmentCommands {
  const { ports, health, backoff, redeployer, sleeper } = parts;
  const { store, settings } = ports;
  const view = { store, settings, readiness: health.readinessOf.bind(health), crashes: backoff.of.bind(backoff) };
  return {
    listEnvironments: async (project) => {
      projectNamed(ports.store, project);
      const listings = await askEngine(parts, () => ports.engine.list());
      const empty: EngineListing = { network: false, generations: [], jobs: [] };
      return ports.store.environments.list(project).map((environment) => {
        const listing = listings && (listings.get(environment.id) ?? empty);
        return environmentView(view, environment, listing);
      });
    },
    showEnvironment: async (project, name) => {
      const environment = environmentNamed(ports.store, project, name);
      const listing = await askEngine(parts, () => ports.engine.inspect(environment.id));
      return environmentDetail(view, environment, listing);
    },
    deleteEnvironment: async (project, name, actor) => {
      const environment = environmentNamed(ports.store, project, name);
      const activity = await removeEnvironment(parts, environment, {
        actor,
        cause: 'deleted by command',
        ref: refOfBranch(environment.branch),
      });
      return { activity };
    },
    redeploy: async (project, name, options) => ({ activity: redeployer.redeploy(environmentNamed(ports.store, project, name), options) }),
    suspend: async (project, name, actor) => {
      const environment = environmentNamed(ports.store, project, name);
      return { activity: sleeper.suspend(environment, { actor, cause: 'suspended by command' }) };
    },
    resume: async (project, name, actor) => {
      const environment = environmentNamed(ports.store, project, name);
      return { activity: sleeper.wake(environment, { actor, cause: 'resumed by command' }) };
    },
    revert: async (project, id, options) => {
      const target = deploymentNamed(ports.store, project, id);
      const named = options.environment === '' ? ports.store.environments.get(target.environment) : undefined;
      const environment = named ?? environmentNamed(ports.store, project, options.environment);
      return { activity: redeployer.revert(environment, target, options) };
    },
  };
}

/** Deletes one environment in its turn; resolves with the activity's id when it is gone. */
export async function removeEnvironment(
  parts: CommandParts,
  environment: EnvironmentRecord,
  why: { readonly actor: string; readonly cause: string; readonly ref: string },
): Promise<string> {
  const repository = repositoryOf(parts.ports, environment.project);
  return await parts.queue.run(laneOf(environment.project, environment.branch), 'other', async () => {
    const previous = (await repository.refs('refs/heads/')).get(why.ref) ?? '';
    return await parts.remover.remove({ ...why, project: environment.project, environment, previous });
  });
}

/** While the engine is away, what is asked of it is undefined and the API goes on answering. */
async function askEngine<Answer>(parts: CommandParts, ask: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await ask();
  } catch (error) {
    parts.ports.log('engine.unanswered', { error });
    return undefined;
  }
}

import { CoppiceError, type EnvironmentSpec, type GitId, type Release, releaseDigest } from '@coppice/model';
import { diffValues } from '@coppice/plan';
import type { ControlPlane, ExplainView } from '../control-plane.ts';
import { repositoryOf } from '../environment/repository-of.ts';
import { comparedSpec } from '../history/compared-spec.ts';
import { explainBuild, explainRestart } from '../history/explain.ts';
import { environmentNamed, liveOf, projectNamed, specNamed } from '../history/find.ts';
import { deploymentView, planView, releaseView } from '../history/views.ts';
import { overlay } from '../release/overlay.ts';
import type { CommandParts } from './parts.ts';

type HistoryCommands = Pick<ControlPlane, 'plan' | 'listDeployments' | 'showRelease' | 'diff' | 'explain'>;

/** What was, what is pinned, and what would be. */
export function historyCommands(parts: CommandParts): HistoryCommands {
  const { ports } = parts;
  return {
    plan: async (project, { environment: name, revision }) => {
      const environment = environmentNamed(ports.store, project, name);
      const { tree } = await commitOf(parts, project, revision === '' ? environment.branch : revision);
      const { objects } = repositoryOf(ports, project);
      const preview = await parts.preview.ofTree({ project, tree, objects, environment, branch: environment.branch });
      return planView(preview.plan, preview.toBuild);
    },
    listDeployments: (project, name) => {
      projectNamed(ports.store, project);
      const deployments =
        name === undefined
          ? ports.store.deployments.listProject(project)
          : ports.store.deployments.list(environmentNamed(ports.store, project, name).id);
      return deployments.map((deployment) => deploymentView(ports.store, deployment));
    },
    showRelease: async (project, { environment: name, revision }) => {
      if (revision !== '') return await releaseAt(parts, project, revision);
      const live = liveOf(ports.store, environmentNamed(ports.store, project, name));
      if (!live) throw new CoppiceError('not-found', 'nothing is live here yet');
      return releaseView(live.release, live.deployment);
    },
    diff: async (project, from, to) => {
      const specs = [await comparedOf(parts, project, from), await comparedOf(parts, project, to)];
      const [before, after] = specs.map((spec) => comparedSpec(spec, ports.store.secrets.keyedHash));
      const changes = diffValues(before, after);
      return { equal: changes.length === 0, changes };
    },
    explain: async (project, { environment: name, about, node }): Promise<ExplainView> => {
      const environment = environmentNamed(ports.store, project, name);
      return about === 'build' ? await explainBuild(ports, environment, node) : explainRestart(ports, environment, node);
    },
  };
}

async function commitOf(parts: CommandParts, project: string, revision: string): Promise<{ readonly commit: GitId; readonly tree: GitId }> {
  const repository = repositoryOf(parts.ports, project);
  const commit = await repository.resolve(revision);
  if (!commit) {
    throw new CoppiceError('not-found', `"${revision}" is no revision that the server knows`, {
      hint: 'push it first; git push -o plan shows a plan without deploying',
    });
  }
  return { commit, tree: (await repository.objects.commit(commit)).tree };
}

async function releaseAt(parts: CommandParts, project: string, revision: string): ReturnType<ControlPlane['showRelease']> {
  const { commit, tree } = await commitOf(parts, project, revision);
  const release = resolvedRelease(parts, project, tree, revision);
  return releaseView(release, { commit, tree });
}

function resolvedRelease(parts: CommandParts, project: string, tree: GitId, revision: string): Release {
  const digest = parts.ports.store.releases.resolved(project, tree);
  const release = digest && parts.ports.store.releases.get(digest);
  if (!release)
    throw new CoppiceError('not-found', `"${revision}" was never built here`, { hint: 'coppice plan shows what it would change' });
  return release;
}

/** The spec of a deployment or environment, or of the release of a revision on the default branch. */
async function comparedOf(parts: CommandParts, project: string, name: string): Promise<EnvironmentSpec> {
  const spec = specNamed(parts.ports.store, project, name);
  if (spec) return spec;
  const { tree } = await commitOf(parts, project, name);
  const release = resolvedRelease(parts, project, tree, name);
  return overlay(release, releaseDigest(release), 'main');
}

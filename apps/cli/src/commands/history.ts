import type { ActivityRef, DeploymentView, DiffView, ExplainView, PlanView, ReleaseView } from '@coppice/control';
import { CoppiceError } from '@coppice/model';
import { describeChange } from '@coppice/plan';
import type { Command } from 'commander';
import { exitCode } from '../exit-code.ts';
import { followActivity } from '../follow-activity.ts';
import { print, short, shortDigest, table, withShortIds } from '../output.ts';
import type { Session } from '../session.ts';
import { environmentPath, type OpenSession, projectPath } from './open-session.ts';
import { askAbout, comparedOf, revisionOf } from './revision.ts';

/** `coppice plan`, `deployments`, `release`, `diff`, `revert`, `explain` */
export function addHistoryCommands(program: Command, open: OpenSession): void {
  addPlan(program, open);
  addDeployments(program, open);
  addRelease(program, open);
  addDiff(program, open);
  addRevert(program, open);
  addExplain(program, open);
}

function addPlan(program: Command, open: OpenSession): void {
  program
    .command('plan')
    .argument('[rev]', 'commit, branch or tag that was pushed; the tip where missing')
    .description('what deploying a revision would change, and why; exit code 10 when there are changes')
    .action(async (revision: string | undefined) => {
      const session = await open();
      const plan = await atRevision<PlanView>(session, 'plan', revision);
      const changes = plan.changes.filter((change) => change.action !== 'keep');
      print(session, plan, () => {
        const toBuild = plan.toBuild.map(({ node, key }) => `to build ${key} for ${node}`);
        return [...(changes.length === 0 ? ['nothing to change'] : changes.map(describeChange)), ...toBuild].join('\n');
      });
      if (changes.length > 0 || plan.steps.length > 0) process.exitCode = exitCode.changes;
    });
}

/** What the environment has below `path` for a revision, or for none. */
async function atRevision<Answer>(session: Session, path: string, given: string | undefined): Promise<Answer> {
  const revision = given === undefined ? undefined : await revisionOf(session, given);
  return await askAbout(
    revision ? [revision] : [],
    async () => await session.api.get<Answer>(`${environmentPath(session)}/${path}`, { revision: revision?.sent }),
  );
}

function addDeployments(program: Command, open: OpenSession): void {
  program
    .command('deployments')
    .description('the history, newest first')
    .action(async () => {
      const session = await open();
      const path = `${projectPath(session)}/deployments`;
      const deployments = await session.api.list<DeploymentView>(path, { environment: session.namedEnvironment });
      const rows = deployments.map((view) => [
        view.id,
        view.environment,
        short(view.commit),
        view.status,
        seconds(view),
        view.startedAt,
        view.reason,
      ]);
      print(session, deployments, () =>
        table(['id', 'environment', 'commit', 'status', 'took', 'started', 'reason'], rows, 'nothing was deployed yet'),
      );
    });
}

function seconds({ durations }: DeploymentView): string {
  return `${((durations.build + durations.plan + durations.apply) / 1000).toFixed(2)} s`;
}

function addRelease(program: Command, open: OpenSession): void {
  program
    .command('release')
    .description('what exactly runs')
    .command('show')
    .argument('[rev]', 'what is live where missing')
    .description('every node pinned')
    .action(async (revision: string | undefined) => {
      const session = await open();
      const release = await atRevision<ReleaseView>(session, 'release', revision);
      const rows = release.nodes.map((node) => [
        node.name,
        node.kind,
        `${node.type}:${node.version}`,
        shortDigest(node.image),
        shortDigest(node.digest),
      ]);
      print(
        session,
        release,
        () =>
          `release ${release.digest}\ncommit ${release.commit}\n\n${table(['node', 'kind', 'type', 'image', 'digest'], rows, 'no nodes')}`,
      );
    });
}

function addDiff(program: Command, open: OpenSession): void {
  program
    .command('diff')
    .argument('<a>', 'deployment, revision or environment')
    .argument('<b>', 'the same')
    .description('the difference between two; exit code 10 when there is one')
    .action(async (a: string, b: string) => {
      const session = await open();
      const [from, to] = [await comparedOf(session, a), await comparedOf(session, b)];
      const query = { from: from.sent, to: to.sent };
      const diff = await askAbout([from, to], async () => await session.api.get<DiffView>(`${projectPath(session)}/diff`, query));
      const rows = diff.changes.map((change) => [change.path, shown(change.from), shown(change.to)]);
      print(session, diff, () => table(['what', 'from', 'to'], rows, 'equal'));
      if (!diff.equal) process.exitCode = exitCode.changes;
    });
}

/** A value of any kind for a cell. */
function shown(value: unknown): string {
  const text = withShortIds(typeof value === 'string' ? value : value === null ? '-' : JSON.stringify(value));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function addRevert(program: Command, open: OpenSession): void {
  program
    .command('revert')
    .argument('<deployment>', 'its id, see coppice deployments')
    .option('--with-data', 'with the data that it last served')
    .description('a commit on the tip with the tree of that deployment, deployed like a push')
    .action(async (deployment: string, options: { readonly withData?: boolean }) => {
      const session = await open();
      const { activity } = await session.api.send<ActivityRef>('POST', `${environmentPath(session)}/revert`, {
        deployment,
        withData: options.withData === true,
      });
      const ended = await followActivity(session, activity);
      print(session, ended, () => 'reverted; fetch to get the commit');
    });
}

function addExplain(program: Command, open: OpenSession): void {
  program
    .command('explain')
    .argument('<about>', 'build or restart')
    .argument('<node>')
    .description('what entered a node’s build key, or why it was replaced')
    .action(async (about: string, node: string) => {
      if (about !== 'build' && about !== 'restart') throw new CoppiceError('invalid-request', `explain ${about}: it is build or restart`);
      const session = await open();
      const view = await session.api.get<ExplainView>(`${environmentPath(session)}/explain/${about}/${encodeURIComponent(node)}`);
      const rows = view.inputs.map((input) => [input.changed ? '*' : '', input.name, shown(input.from), shown(input.to)]);
      print(session, view, () => `${view.node}  ${view.key}\n\n${table(['', 'input', 'from', 'to'], rows, 'nothing changed')}`);
    });
}

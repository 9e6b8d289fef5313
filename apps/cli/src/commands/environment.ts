import type { ActivityRef, EnvironmentDetail, EnvironmentView, VolumeView } from '@coppice/control';
import type { Command } from 'commander';
import { followActivity } from '../follow-activity.ts';
import { print, readableBytes, short, shortDigest, table } from '../output.ts';
import { environmentPath, type OpenSession, projectPath } from './open-session.ts';

/** `coppice env …` */
export function addEnvironmentCommands(program: Command, open: OpenSession): void {
  const environment = program.command('env').description('look at, redeploy, copy, suspend and delete environments');
  environment
    .command('list')
    .description('the environments of the project')
    .action(async () => {
      const session = await open();
      const environments = await session.api.list<EnvironmentView>(`${projectPath(session)}/environments`);
      const rows = environments.map((view) => [
        view.name,
        view.branch,
        view.parent ?? '-',
        view.status,
        commitOf(view),
        view.urls[0] ?? '-',
      ]);
      print(session, environments, () =>
        table(['name', 'branch', 'parent', 'status', 'commit', 'url'], rows, 'no environment yet; push a branch to create one'),
      );
    });
  environment
    .command('show')
    .argument('[name]')
    .description('one environment with its nodes')
    .action(async (name: string | undefined) => {
      const session = await open();
      const detail = await session.api.get<EnvironmentDetail>(environmentPath(session, name));
      print(session, detail, () => describe(detail));
    });
  environment
    .command('delete')
    .argument('<name>')
    .description('delete an environment and its branch; its data goes to the trash')
    .action(async (name: string) => {
      const session = await open();
      await session.api.send<ActivityRef>('DELETE', environmentPath(session, name));
      print(session, { name }, () => `deleted ${name}`);
    });
  environment
    .command('redeploy')
    .argument('[name]')
    .option('--refresh', 'resolve versions and build anew')
    .description('deploy the tip again')
    .action(async (name: string | undefined, options: { readonly refresh?: boolean }) => {
      const session = await open();
      const { activity } = await session.api.send<ActivityRef>('POST', `${environmentPath(session, name)}/redeploy`, {
        refresh: options.refresh === true,
      });
      const ended = await followActivity(session, activity);
      print(session, ended, () => 'redeployed');
    });
  environment
    .command('volumes')
    .argument('[name]')
    .description('what each volume of an environment holds')
    .action(async (name: string | undefined) => {
      const session = await open();
      const volumes = await session.api.list<VolumeView>(`${environmentPath(session, name)}/volumes`);
      const rows = volumes.map(({ node, volume, bytes }) => [node, volume, readableBytes(bytes)]);
      print(session, volumes, () => table(['node', 'volume', 'size'], rows, 'it holds no data'));
    });
  addSync(environment, open);
  addBranch(environment, open);
  for (const [name, does, done] of [
    ['suspend', 'stop all that runs and keep the data; the next request wakes it', 'suspended'],
    ['resume', 'wake an environment that sleeps', 'awake'],
  ] as const) {
    environment
      .command(name)
      .argument('[name]')
      .description(does)
      .action(async (which: string | undefined) => {
        const session = await open();
        const { activity } = await session.api.send<ActivityRef>('POST', `${environmentPath(session, which)}/${name}`);
        const ended = await followActivity(session, activity);
        print(session, ended, () => done);
      });
  }
}

function addSync(environment: Command, open: OpenSession): void {
  environment
    .command('sync')
    .argument('[name]')
    .option('--force', 'also where changes of its own are replaced')
    .description('take the data of the parent again, as it is now; what is there is backed up first')
    .action(async (name: string | undefined, options: { readonly force?: boolean }) => {
      const session = await open();
      const { activity } = await session.api.send<ActivityRef>('POST', `${environmentPath(session, name)}/sync`, {
        force: options.force === true,
      });
      const ended = await followActivity(session, activity);
      print(session, ended, () => 'synced');
    });
}

function addBranch(environment: Command, open: OpenSession): void {
  environment
    .command('branch')
    .argument('<name>', 'of the branch')
    .option('--from <env>', 'the environment to copy; that of --at, else the current one where missing')
    .option('--at <deployment>', 'as it was at that deployment')
    .description('create a branch on the server, and its environment as a copy of another')
    .action(async (name: string, { from, at }: { readonly from?: string; readonly at?: string }) => {
      const session = await open();
      const current = at === undefined ? session.environmentName : session.namedEnvironment;
      const { activity } = await session.api.send<ActivityRef>('POST', `${projectPath(session)}/environments`, {
        name,
        from: from ?? current,
        at,
      });
      const ended = await followActivity(session, activity);
      print(session, ended, () => `created ${name}; fetch to get the branch`);
    });
}

function commitOf(view: EnvironmentView): string {
  return view.release ? short(view.release.commit) : '-';
}

function describe(detail: EnvironmentDetail): string {
  const head = [`${detail.name} (branch ${detail.branch}) is ${detail.status}`, ...detail.urls.map((url) => `  ${url}`)];
  const rows = detail.nodes.map((node) => [
    node.name,
    node.kind,
    shortDigest(node.digest),
    node.instances.map((instance) => `${instance.id.slice(0, 12)} ${instance.status}`).join(', ') || '-',
    crashesOf(node),
  ]);
  return `${head.join('\n')}\n\n${table(['node', 'kind', 'digest', 'instances', 'crashes'], rows, 'no node runs')}`;
}

function crashesOf({ crashes }: EnvironmentDetail['nodes'][number]): string {
  if (!crashes) return '-';
  const next = crashes.startsInMs > 0 ? `, starts in ${Math.ceil(crashes.startsInMs / 1000)} s` : '';
  return `${crashes.count} (${crashes.last})${next}`;
}

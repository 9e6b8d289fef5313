import type { ActivityView, DoctorCheck, NodeLogLine } from '@coppice/control';
import { plainText } from '@coppice/model';
import type { Command } from 'commander';
import { exitCode } from '../exit-code.ts';
import { print, table } from '../output.ts';
import { sinceTime } from '../since-time.ts';
import { environmentPath, type OpenSession } from './open-session.ts';

/** `coppice activity …`, `logs`, `doctor` */
export function addActivityCommands(program: Command, open: OpenSession): void {
  const activity = program.command('activity').description('what happens and happened');
  activity
    .command('list')
    .option('--all', 'more than the newest 100')
    .description('newest first; of the project, where one is named')
    .action(async (options: { readonly all?: boolean }) => {
      const session = await open();
      const project = session.namedProject;
      const activities = options.all
        ? await session.api.list<ActivityView>('/activities', { project, limit: '1000' })
        : (await session.api.page<ActivityView>('/activities', { project })).items;
      const rows = activities.map((view) => [
        view.id,
        view.kind,
        view.state,
        view.environment ?? '-',
        view.actor,
        view.startedAt,
        view.cause,
      ]);
      print(session, activities, () =>
        table(['id', 'kind', 'state', 'environment', 'actor', 'started', 'cause'], rows, 'nothing happened yet'),
      );
    });
  activity
    .command('log')
    .argument('<id>')
    .option('--follow', 'until it ends')
    .description('the log of an activity')
    .action(async (id: string, options: { readonly follow?: boolean }) => {
      const session = await open();
      const lines: string[] = [];
      for await (const line of session.api.events<string>(`/activities/${encodeURIComponent(id)}/log`, {
        follow: String(options.follow === true),
      })) {
        if (session.json) lines.push(line);
        else process.stdout.write(`${plainText(line)}\n`);
      }
      if (session.json) print(session, lines, () => '');
    });
  activity
    .command('cancel')
    .argument('<id>')
    .description('stop a build or deployment; the old release stays')
    .action(async (id: string) => {
      const session = await open();
      await session.api.send('POST', `/activities/${encodeURIComponent(id)}/cancel`);
      print(session, { id }, () => `cancelled ${id}`);
    });
  addLogs(program, open);
  addDoctor(program, open);
}

function addLogs(program: Command, open: OpenSession): void {
  program
    .command('logs')
    .argument('[node]')
    .option('--follow', 'until interrupted')
    .option('--since <time>', 'RFC 3339, or a duration such as 10m')
    .option('--tail <lines>', 'only the last so many of each instance')
    .description('output of the instances')
    .action(async (node: string | undefined, options: { readonly follow?: boolean; readonly since?: string; readonly tail?: string }) => {
      const session = await open();
      const query = {
        node,
        follow: String(options.follow === true),
        since: options.since === undefined ? undefined : sinceTime(options.since, new Date()),
        tail: options.tail,
      };
      const kept: NodeLogLine[] = [];
      for await (const line of session.api.lines<NodeLogLine>(`${environmentPath(session)}/logs`, query)) {
        if (session.json && options.follow !== true) kept.push(line);
        else process.stdout.write(session.json ? `${JSON.stringify(line)}\n` : `${line.node}  ${plainText(line.text)}\n`);
      }
      if (session.json && options.follow !== true) print(session, kept, () => '');
    });
}

function addDoctor(program: Command, open: OpenSession): void {
  program
    .command('doctor')
    .description('whether the machine is healthy; exit code 1 where it is not')
    .action(async () => {
      const session = await open();
      const checks = await session.api.list<DoctorCheck>('/doctor');
      const rows = checks.map((check) => [check.ok ? 'ok' : 'WRONG', check.check, check.detail, check.fix]);
      print(session, checks, () => table(['', 'check', 'detail', 'what to do'], rows, 'nothing to check'));
      if (checks.some((check) => !check.ok)) process.exitCode = exitCode.failed;
    });
}

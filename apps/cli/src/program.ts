import { Command } from 'commander';
import { addActivityCommands } from './commands/activity.ts';
import { addBackupCommands } from './commands/backup.ts';
import { addConfigCommands } from './commands/config.ts';
import { addEnvironmentCommands } from './commands/environment.ts';
import { addExecCommand } from './commands/exec.ts';
import { addGarbageCommand } from './commands/garbage.ts';
import { addHistoryCommands } from './commands/history.ts';
import { addProjectCommands } from './commands/project.ts';
import { addServerCommands } from './commands/server.ts';
import { addTrashCommands } from './commands/trash.ts';
import { exitCode } from './exit-code.ts';
import { type GlobalFlags, openSession, type Session } from './session.ts';

/** The `coppice` command with all that it can do. */
export function createProgram(): Command {
  const program = new Command('coppice')
    .description('git push a service graph, get a running environment')
    .option('--url <url>', 'the server (COPPICE_URL)')
    .option('--token <token>', 'who asks (COPPICE_TOKEN)')
    .option('--project <name>', 'the project (COPPICE_PROJECT)')
    .option('--env <name>', 'the environment (COPPICE_ENV)')
    .option('--json', 'one JSON document on standard output');
  const open = async (): Promise<Session> => await openSession(program.opts<GlobalFlags>(), process.env, process.cwd());
  addServerCommands(program);
  addProjectCommands(program, open);
  addEnvironmentCommands(program, open);
  addHistoryCommands(program, open);
  addBackupCommands(program, open);
  addTrashCommands(program, open);
  addActivityCommands(program, open);
  addExecCommand(program, open);
  addGarbageCommand(program, open);
  addConfigCommands(program);
  allowGlobalFlagsAnywhere(program);
  return program;
}

/** `coppice env list --json` and `coppice --json env list` are the same. */
function allowGlobalFlagsAnywhere(program: Command): void {
  const globals = program.options.map((option) => ({ flags: option.flags, description: option.description }));
  const visit = (command: Command): void => {
    for (const child of command.commands) {
      for (const { flags, description } of globals) child.option(flags, description);
      child.hook('preAction', (_parent, action) => {
        for (const [name, value] of Object.entries(action.opts())) {
          if (globals.some(({ flags }) => flags.startsWith(`--${name}`)) && value !== undefined) program.setOptionValue(name, value);
        }
      });
      child.exitOverride((error) => process.exit(error.exitCode === 0 ? exitCode.done : exitCode.usage));
      visit(child);
    }
  };
  program.exitOverride((error) => process.exit(error.exitCode === 0 ? exitCode.done : exitCode.usage));
  visit(program);
}

import type { Command } from 'commander';

/** `coppice server …`: the one command that is the server itself, loaded only when it is asked for. */
export function addServerCommands(program: Command): void {
  const server = program
    .command('server')
    .description('run Coppice on this machine')
    .option('--data <dir>', 'where everything is kept', '/var/lib/coppice')
    .option('--listen <host:port>', 'HTTP API and git', '127.0.0.1:7070')
    .option('--router <host:port>', 'where environments answer', '127.0.0.1:8080')
    .option('--ssh <host:port>', 'taken, but not served yet')
    .option('--domain <name>', 'environments answer on <environment>.<project>.<domain>', 'localhost')
    .action(async (options: ServerFlags) => {
      const { runServer } = await import('@coppice/server');
      await runServer(options);
    });
  server
    .command('down')
    .description('stop and remove all that the server of a data directory runs; data stays')
    .option('--data <dir>', 'its data directory', '/var/lib/coppice')
    .action(async (_options: unknown, command: Command) => {
      const { takeDown } = await import('@coppice/server');
      await takeDown(command.optsWithGlobals<ServerFlags>());
    });
  server
    .command('move-volumes')
    .description('stop the server of a data directory and move volumes from plain folders into an image that can be snapshotted')
    .option('--data <dir>', 'its data directory', '/var/lib/coppice')
    .action(async (_options: unknown, command: Command) => {
      const { moveVolumes } = await import('@coppice/server');
      await moveVolumes(command.optsWithGlobals<ServerFlags>());
    });
}

interface ServerFlags {
  readonly data: string;
  readonly listen: string;
  readonly router: string;
  readonly domain: string;
}

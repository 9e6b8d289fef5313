import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { askSocket } from '../../packages/router/src/runtime-socket.ts';
import { mustRun, type TestServer } from '../e2e/harness.ts';

/** One thing that somebody changes behind the server's back, in an environment that is at rest. */
export interface DriftKind {
  readonly name: string;
  /** Does it. */
  readonly act: () => Promise<void>;
  /** Whether it is undone, besides that requests are answered and the plan is empty. */
  readonly isRepaired: () => Promise<boolean>;
  /** What the activity that repaired it must say; undefined where it is the business of no environment and none is made. */
  readonly reason: RegExp | undefined;
}

/** All kinds of drift, for the environment `main` of a shop (see crash-kinds). */
export function driftKinds(server: TestServer, project: string): readonly DriftKind[] {
  const web = (): Promise<string> => containerOf(server, project, 'web');
  const docker = async (...words: readonly string[]): Promise<void> => void (await mustRun('docker', [...words, await web()]));
  const isAttached = async (): Promise<boolean> => (await addressOf(await web())) !== '';
  const nothing = async (): Promise<boolean> => true;
  const table = `coppice_${server.serverId}`;
  const rules = async (): Promise<string> => await mustRun('nft', ['--stateless', 'list', 'table', 'inet', table]);
  let before = '';
  const changeRules = (...words: readonly string[]) => {
    return async (): Promise<void> => {
      before = verdicts(await rules());
      await mustRun('nft', [...words]);
    };
  };
  const areBack = async (): Promise<boolean> => verdicts(await rules().catch(() => '')) === before;
  return [
    { name: 'a container killed', act: () => docker('kill'), isRepaired: isAttached, reason: /web/ },
    { name: 'a container stopped', act: () => docker('stop', '--time', '2'), isRepaired: isAttached, reason: /web/ },
    { name: 'a container removed', act: () => docker('rm', '--force'), isRepaired: isAttached, reason: /web/ },
    {
      name: "a service's container killed",
      act: async () => void (await mustRun('docker', ['kill', await containerOf(server, project, 'cache')])),
      isRepaired: nothing,
      reason: /cache/,
    },
    {
      name: 'a container renamed (harms nothing: found by its labels)',
      act: async () => void (await mustRun('docker', ['rename', await web(), `renamed-${server.serverId}`])),
      isRepaired: nothing,
      reason: undefined,
    },
    {
      name: 'a container taken out of its network',
      act: async () => {
        const id = await web();
        const format = '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}';
        const network = (await mustRun('docker', ['inspect', '--format', format, id])).trim();
        await mustRun('docker', ['network', 'disconnect', network, id]);
      },
      isRepaired: isAttached,
      reason: /web/,
    },
    { name: 'network rules flushed', act: changeRules('flush', 'table', 'inet', table), isRepaired: areBack, reason: /rules/ },
    { name: 'network rules deleted', act: changeRules('delete', 'table', 'inet', table), isRepaired: areBack, reason: /rules/ },
    {
      name: 'a route changed in HAProxy',
      act: async () => void (await askRouter(server, 'clear map maps/routes.map')),
      isRepaired: async () => (await askRouter(server, 'show map maps/routes.map')).includes(`main.${project}.`),
      reason: /routes/,
    },
    {
      name: 'HAProxy killed (all its processes)',
      act: async () => {
        for (const pid of routerProcesses(server)) process.kill(pid, 'SIGKILL');
      },
      isRepaired: nothing,
      reason: undefined,
    },
  ];
}

async function containerOf(server: TestServer, project: string, node: string): Promise<string> {
  const labels = { server: server.serverId, project, node, kind: 'instance' };
  const filters = Object.entries(labels).flatMap(([label, value]) => ['--filter', `label=coppice.${label}=${value}`]);
  return (await mustRun('docker', ['ps', '--quiet', ...filters])).trim() || 'none';
}

async function addressOf(id: string): Promise<string> {
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
  return (await mustRun('docker', ['inspect', '--format', format, id]).catch(() => '')).trim();
}

async function askRouter({ data }: TestServer, command: string): Promise<string> {
  const sockets = readdirSync(join(data, 'router/run')).filter((name) => /^worker-\d+\.sock$/.test(name));
  const answers = await Promise.all(sockets.map((name) => askSocket(join(data, 'router/run', name), command)));
  return answers.join('\n');
}

/** Master and workers: those that work in the router's folder. */
function routerProcesses({ data, serverId }: TestServer): readonly number[] {
  const folders = [join(data, 'router'), `/run/coppice/${serverId}/router`];
  const isRouter = (pid: string): boolean => {
    try {
      return folders.includes(readlinkSync(`/proc/${pid}/cwd`)) && readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('haproxy');
    } catch {
      // It ended while we looked.
      return false;
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter(isRouter)
    .map(Number);
}

/** What the rules decide. Sets hold names of interfaces that come and go, and are not compared. */
function verdicts(rules: string): string {
  const decides = (line: string): boolean => /\b(accept|drop|reject|goto|jump|return|dnat)\b/.test(line);
  return rules.split('\n').filter(decides).sort().join('\n');
}

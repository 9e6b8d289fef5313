import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { mustRun, type PushResult, until } from '../e2e/harness.ts';
import type { FaultRow } from './fault-row.ts';
import { FaultServer } from './fault-server.ts';
import { type ResourceKind, trouble } from './resource-kinds.ts';
import { Shop } from './shop.ts';

const setup = fileURLToPath(new URL('../../scripts/setup.mjs', import.meta.url));

/** Whether containers of anybody run: it is their engine too. */
export async function engineIsInUse(): Promise<boolean> {
  return (await mustRun('docker', ['ps', '--quiet'])).trim() !== '';
}

/** The machine's dockerd killed and stopped. Refuses where it is in use. */
export async function engineRows({ print }: { readonly print: (line: string) => void }): Promise<readonly FaultRow[]> {
  if (await engineIsInUse()) throw new Error('containers run that are not ours: the engine is left alone');
  const faulty = await FaultServer.start();
  try {
    const shop = await Shop.open(faulty.server, 'shop');
    const rows: FaultRow[] = [];
    for (const kind of engineKinds(faulty, shop)) {
      print(kind.name);
      rows.push({ ...(await trouble(faulty, shop, kind)), group: 'engine' });
    }
    return rows;
  } finally {
    await startEngine();
    await faulty.stop();
  }
}

function engineKinds({ server }: FaultServer, shop: Shop): readonly ResourceKind[] {
  const count = async (): Promise<number> => (await server.dockerIds()).length;
  return [
    {
      name: 'dockerd killed while nothing happens',
      push: async () => {
        await endEngine('SIGKILL');
        await startEngine();
        await until(async () => (await server.api('/readyz')).status === 200, { what: 'the server is ready' });
        await shop.commit({ answer: `engine ${shop.next()}` });
        return await shop.clone.push('main');
      },
      expected: 'accepted',
    },
    {
      name: 'dockerd killed during a deployment',
      push: async () => {
        const before = await count();
        await shop.commit({ answer: `engine ${shop.next()}`, hook: 'sleep 4' });
        const pushing = shop.clone.push('main');
        await until(async () => (await count()) > before, { what: 'the deployment began', everyMs: 20 });
        return await withoutEngine('SIGKILL', pushing);
      },
      expected: /container engine/,
    },
    {
      name: 'dockerd stopped when a push comes',
      push: async () => {
        await shop.commit({ answer: `engine ${shop.next()}`, hook: '' });
        await endEngine('SIGTERM');
        return await withoutEngine(undefined, shop.clone.push('main'));
      },
      expected: /container engine/,
    },
  ];
}

async function withoutEngine(signal: NodeJS.Signals | undefined, pushing: Promise<PushResult>): Promise<PushResult> {
  try {
    if (signal !== undefined) await endEngine(signal);
    return await Promise.race([pushing, pause(30_000, { code: 1, output: 'the push had no answer after 30 s' })]);
  } finally {
    await startEngine();
  }
}

async function endEngine(signal: NodeJS.Signals): Promise<void> {
  const pid = Number(readFileSync('/var/run/docker.pid', 'utf8'));
  if (!isThere(pid) || readFileSync(`/proc/${pid}/comm`, 'utf8').trim() !== 'dockerd') throw new Error('the pid file names no dockerd');
  process.kill(pid, signal);
  await until(() => !isThere(pid), { what: 'dockerd is gone' });
}

/** As `npm run setup` does: what runs already goes on. */
async function startEngine(): Promise<void> {
  await mustRun(process.execPath, [setup, '--quiet']);
}

function isThere(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2] !== 'Z';
  } catch {
    return false;
  }
}

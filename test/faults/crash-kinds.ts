import type { Clone } from '../e2e/harness.ts';
import { type CrashKind, commanded, type Outcome, pushed } from './crash-kind.ts';
import type { FaultServer } from './fault-server.ts';
import { plainLook, type Shop, type ShopLook, shopFiles } from './shop.ts';

/** Changes of what `main` of a shop runs, each by a push. */
export function pushKinds(shop: Shop, solo: Shop): readonly CrashKind[] {
  const kind = (name: string, of: Shop, { change, options = [] }: PushChange): CrashKind => ({
    name,
    serves: of.host(),
    prepare: async () => await of.commit(change(of.next())),
    act: async () => await pushed(of.clone, 'main', { options }),
    repeat: async () => await pushed(of.clone, 'main', { options }),
    wrong: async () => await of.wrong(),
  });
  return [
    kind('update that overlaps', shop, { change: (count) => ({ answer: `version ${count}` }) }),
    kind('update that holds and switches', solo, { change: (count) => ({ answer: `version ${count}` }) }),
    kind('service replaced on its volume', shop, { change: (count) => ({ clients: 100 + count }) }),
    kind('resize in place', shop, { change: (count) => ({ memory: 128 + (count % 2) * 32 }) }),
    kind('revert to an earlier tree', shop, {
      change: (count) => ({ answer: count % 2 === 0 ? 'heads' : 'tails', memory: 128, clients: 100 }),
    }),
    kind('update with a deploy hook', shop, { change: (count) => ({ answer: `hooked ${count}`, hook: 'echo hook >> kept/log' }) }),
    kind('update with no-wait', shop, { change: (count) => ({ answer: `soon ${count}`, hook: '' }), options: ['no-wait'] }),
  ];
}

interface PushChange {
  readonly change: (count: number) => Partial<ShopLook>;
  readonly options?: readonly string[];
}

/** Branches that come and go, while `main` of the same project is served. */
export function branchKinds({ server }: FaultServer, shop: Shop): readonly CrashKind[] {
  const has = async (): Promise<boolean> => (await shop.clone.git('ls-remote', 'origin', 'refs/heads/side')) !== '';
  const make = async (): Promise<Outcome> => await pushed(shop.clone, 'HEAD:refs/heads/side');
  const remove = async (): Promise<Outcome> => await pushed(shop.clone, ':refs/heads/side');
  const answers = async (): Promise<string | undefined> => {
    const { status } = await server.request(shop.host('side'));
    return status === 200 ? await shop.wrong() : `the branch answers ${status}`;
  };
  return [
    {
      name: 'new branch',
      serves: shop.host(),
      prepare: async () => void ((await has()) && (await remove())),
      act: make,
      repeat: make,
      wrong: answers,
    },
    {
      name: 'branch deleted',
      serves: shop.host(),
      prepare: async () => void ((await has()) || (await make())),
      act: remove,
      // git refuses by itself to delete what is not there.
      repeat: async () => ((await has()) ? await remove() : 'accepted'),
      wrong: async () => ((await has()) ? 'the branch is still there' : await shop.wrong()),
    },
  ];
}

/** First pushes to projects of their own, while another project is served. */
export function firstPushKind({ server }: FaultServer, shop: Shop): CrashKind {
  let clone: Clone | undefined;
  let name = '';
  const push = async (): Promise<Outcome> => (clone ? await pushed(clone, 'main') : 'refused');
  return {
    name: 'first push',
    serves: shop.host(),
    prepare: async () => {
      if (clone) await server.api(`/v1/projects/${name}`, { method: 'DELETE' });
      name = `first-${shop.next()}`;
      clone = await server.project(name);
      await clone.commit(shopFiles(plainLook));
    },
    act: push,
    repeat: push,
    wrong: async () => {
      const { status, body } = await server.request(`main.${name}.localhost`);
      return body === plainLook.answer ? undefined : `it answers ${status} ${body}`;
    },
  };
}

/** What commands and requests change, of a shop of its own, while another is served. */
export function commandKinds(faulty: FaultServer, nap: Shop, shop: Shop): readonly CrashKind[] {
  const { server } = faulty;
  const command = async (name: string): Promise<Outcome> => await commanded(faulty, `${nap.path}/${name}`);
  const status = async (): Promise<string> => ((await (await server.api(nap.path)).json()) as { status: string }).status;
  const isIn = async (wanted: string): Promise<string | undefined> => {
    const now = await status();
    return now === wanted ? undefined : `it is ${now}, not ${wanted}`;
  };
  let waiting: Promise<{ readonly status: number }> | undefined;
  const kind = (name: string, from: 'suspend' | 'resume', rest: Omit<CrashKind, 'name' | 'serves' | 'prepare'>): CrashKind => ({
    name,
    serves: shop.host(),
    prepare: async () => void (await command(from)),
    ...rest,
  });
  const simple = (word: string): Pick<CrashKind, 'act' | 'repeat'> => ({ act: () => command(word), repeat: () => command(word) });
  return [
    kind('suspend', 'resume', { ...simple('suspend'), wrong: () => isIn('suspended') }),
    kind('wake by command', 'suspend', { ...simple('resume'), wrong: () => nap.wrong() }),
    kind('wake by a request', 'suspend', {
      act: async () => {
        waiting = server.request(nap.host(), '/', { timeoutMs: 60_000 });
        // It goes on waiting while the server is dead; what becomes of it is seen in `repeat`.
        const answered = waiting.then(({ status: code }): Outcome => (code === 200 ? 'accepted' : 'refused'));
        answered.catch(() => undefined);
        return await Promise.race([answered, faulty.dead().then((): Outcome => 'broken')]);
      },
      repeat: async () => ((await waiting)?.status === 200 ? 'accepted' : 'refused'),
      wrong: () => nap.wrong(),
    }),
    kind('redeploy', 'resume', { ...simple('redeploy'), wrong: () => nap.wrong() }),
  ];
}

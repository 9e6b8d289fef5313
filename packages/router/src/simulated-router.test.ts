import { routerContract } from './router-contract.ts';
import { createSimulatedRouter } from './simulated-router.ts';

routerContract(
  'simulated router',
  async () => {
    const router = createSimulatedRouter();
    await router.ensureRunning();
    return {
      router,
      async kill() {
        router.kill();
      },
      async reach(host, path) {
        const target = (path === '/' ? await router.request(host) : router.route(host, path))?.target;
        if (target === undefined) return 'unknown';
        return target.kind === 'upstream' ? (target.servers[0]?.id ?? 'unavailable') : target.kind;
      },
    };
  },
  async (_context, id) => ({ id, address: '127.0.0.1', port: 1 }),
);

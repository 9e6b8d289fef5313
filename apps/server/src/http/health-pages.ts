import type { ControlPlane } from '@coppice/control';
import type { FastifyInstance } from 'fastify';

export interface HealthParts {
  readonly control: Pick<ControlPlane, 'readiness'>;
  /** The text of /metrics. */
  readonly metrics: () => string | Promise<string>;
}

/** Pages for those who watch the server, without a token: /healthz, /readyz and /metrics. */
export function addHealthPages(api: FastifyInstance, { control, metrics }: HealthParts): void {
  api.get('/healthz', () => ({ status: 'ok' }));
  api.get('/readyz', async (_request, reply) => {
    const parts = Object.entries(await control.readiness()).map(
      ([part, why]) => [part, why === undefined ? { ready: true } : { ready: false, why }] as const,
    );
    const ready = parts.every(([, part]) => part.ready);
    return reply.code(ready ? 200 : 503).send({ ready, parts: Object.fromEntries(parts) });
  });
  api.get('/metrics', async (_request, reply) => reply.type('text/plain; version=0.0.4').send(await metrics()));
}

import type { EnvironmentId } from '@coppice/model';
import { isCoppiceError } from '@coppice/model';
import type { DockerConnection } from './docker-connection.ts';
import { labelFilter, labelNames, networkName } from './labels.ts';

interface EngineEvent {
  readonly Actor?: { readonly Attributes?: Readonly<Record<string, string>> };
}

/** Environments that something happened in, from the engine's events. Ends when called off or when the connection does. */
export function readHints(connection: DockerConnection, serverId: string, signal: AbortSignal): AsyncGenerator<EnvironmentId> {
  const filters = {
    ...(JSON.parse(labelFilter({ [labelNames.server]: serverId })) as Record<string, readonly string[]>),
    type: ['container'],
    event: ['die', 'oom', 'start', 'destroy', 'pause', 'unpause'],
  };
  return readEvents({ connection, filters, signal }, (attributes) => attributes[labelNames.environment]);
}

/** Environments from whose network somebody took a container, or whose network is gone: events of networks carry no labels, but their name. */
export function readNetworkHints(connection: DockerConnection, serverId: string, signal: AbortSignal): AsyncGenerator<EnvironmentId> {
  const filters = { type: ['network'], event: ['disconnect', 'destroy'] };
  const prefix = networkName(serverId, '');
  return readEvents({ connection, filters, signal }, ({ name = '' }) => (name.startsWith(prefix) ? name.slice(prefix.length) : undefined));
}

interface EventRequest {
  readonly connection: DockerConnection;
  readonly filters: Readonly<Record<string, readonly string[]>>;
  readonly signal: AbortSignal;
}

async function* readEvents(
  { connection, filters, signal }: EventRequest,
  environmentOf: (attributes: Readonly<Record<string, string>>) => string | undefined,
): AsyncGenerator<EnvironmentId> {
  try {
    const source = await connection.stream({ method: 'GET', path: '/events', query: { filters: JSON.stringify(filters) }, signal });
    source.setEncoding('utf8');
    let rest = '';
    for await (const chunk of source) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.filter((text) => text.trim() !== '')) {
        const environment = environmentOf((JSON.parse(line) as EngineEvent).Actor?.Attributes ?? {});
        if (environment !== undefined) yield environment as EnvironmentId;
      }
    }
  } catch (error) {
    if (signal.aborted || isCoppiceError(error, 'cancelled')) return;
    // The engine went away in the middle of the stream: that is how hints end.
    if (error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_PREMATURE_CLOSE')) return;
    throw error;
  }
}

import type { EnvironmentId } from '@coppice/model';
import { isCoppiceError } from '@coppice/model';
import type { DockerConnection } from './docker-connection.ts';
import { labelFilter, labelNames } from './labels.ts';

interface EngineEvent {
  readonly Actor?: { readonly Attributes?: Readonly<Record<string, string>> };
  readonly Action?: string;
}

/** Environments that something happened in, from the engine's events. Ends when called off or when the connection does. */
export async function* readHints(connection: DockerConnection, serverId: string, signal: AbortSignal): AsyncGenerator<EnvironmentId> {
  const filters = JSON.parse(labelFilter({ [labelNames.server]: serverId })) as Record<string, readonly string[]>;
  try {
    const source = await connection.stream({
      method: 'GET',
      path: '/events',
      query: { filters: JSON.stringify({ ...filters, type: ['container'], event: ['die', 'oom', 'start', 'destroy'] }) },
      signal,
    });
    source.setEncoding('utf8');
    let rest = '';
    for await (const chunk of source) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const environment = environmentOf(line);
        if (environment !== undefined) yield environment;
      }
    }
  } catch (error) {
    if (signal.aborted || isCoppiceError(error, 'cancelled')) return;
    // The engine went away in the middle of the stream: that is how hints end.
    if (error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_PREMATURE_CLOSE')) return;
    throw error;
  }
}

function environmentOf(line: string): EnvironmentId | undefined {
  if (line.trim() === '') return undefined;
  const event = JSON.parse(line) as EngineEvent;
  const environment = event.Actor?.Attributes?.[labelNames.environment];
  return environment === undefined ? undefined : (environment as EnvironmentId);
}

import { CoppiceError, type NodeName, redact } from '@coppice/model';
import type { EnvironmentRecord } from '@coppice/state';
import type { ControlPlane, LogRequest, NodeLogLine } from '../control-plane.ts';
import { closedData } from '../data/capture.ts';
import { holdsClosedData } from '../data/unsettled-data.ts';
import { environmentNamed } from '../history/find.ts';
import { mergeStreams } from '../merge-streams.ts';
import { doctorChecks } from './doctor.ts';
import type { CommandParts } from './parts.ts';

type RuntimeCommands = Pick<ControlPlane, 'logs' | 'execTarget' | 'doctor' | 'readiness'>;

/** What runs: its output, a way in, and whether the machine is healthy. */
export function runtimeCommands(parts: CommandParts): RuntimeCommands {
  const { ports } = parts;
  return {
    // What is asked for is checked before the first line: an answer that began cannot say `not-found` any more.
    logs: (project, request) => {
      const environment = environmentNamed(ports.store, project, request.environment);
      checkNode(environment, request.node);
      return logLines(parts, environment, request);
    },
    execTarget: async (project, { environment, node }) => {
      const record = environmentNamed(ports.store, project, environment);
      if (await holdsClosedData(ports, record)) throw closedData(record);
      checkNode(record, node);
      const instances = (await instancesOf(parts, record, node)).filter((instance) => instance.running);
      const [first] = instances;
      if (!first) throw new CoppiceError('not-found', `${node === '' ? 'the environment' : node} has no running instance`);
      return { instance: first.id };
    },
    doctor: async () => await doctorChecks(parts),
    readiness: async () => await parts.checks.wrong(),
  };
}

interface InstanceRef {
  readonly id: string;
  readonly node: NodeName;
  readonly running: boolean;
}

function checkNode(environment: EnvironmentRecord, node: string): void {
  const names = environment.desired.spec?.nodes.map((spec) => spec.name) ?? [];
  if (node === '' || names.includes(node as NodeName)) return;
  throw new CoppiceError('not-found', `no node is named "${node}"`, { hint: `there are: ${names.join(', ')}` });
}

/** Of one node, or of all where `node` is empty. */
async function instancesOf({ ports }: CommandParts, environment: EnvironmentRecord, node: string): Promise<readonly InstanceRef[]> {
  const listing = await ports.engine.inspect(environment.id);
  const wanted = node === '' ? listing.generations : listing.generations.filter((generation) => generation.node === node);
  return wanted.flatMap((generation) =>
    generation.instances.map((instance) => ({ id: instance.id, node: generation.node, running: instance.state === 'running' })),
  );
}

async function* logLines(parts: CommandParts, environment: EnvironmentRecord, request: LogRequest): AsyncIterable<NodeLogLine> {
  const { engine, store } = parts.ports;
  const secrets = store.secrets.values(environment.id);
  const instances = await instancesOf(parts, environment, request.node);
  const options = { follow: request.follow, signal: request.signal, ...given('since', request.since), ...given('tail', request.tail) };
  const streams = instances.map(({ id, node }) => labelled(node, engine.logs(id, options)));
  const lines = request.follow ? mergeStreams(streams, { ordered: false }) : mergeStreams(streams, { ordered: true });
  for await (const line of lines) yield { ...line, text: redact(line.text, secrets) };
}

async function* labelled(node: NodeName, lines: AsyncIterable<Omit<NodeLogLine, 'node'>>): AsyncIterable<NodeLogLine> {
  for await (const line of lines) yield { node, ...line };
}

function given<Key extends string, Value>(key: Key, value: Value | undefined): { readonly [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: Value };
}

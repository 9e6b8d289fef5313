import { CoppiceError, type NodeName } from '@coppice/model';
import type { ControlPlane, NodeLogLine } from '../control-plane.ts';
import { environmentNamed } from '../history/find.ts';
import { mergeStreams } from '../merge-streams.ts';
import { redact } from '../redact.ts';
import { doctorChecks, partsHealth } from './doctor.ts';
import type { CommandParts } from './parts.ts';

type RuntimeCommands = Pick<ControlPlane, 'logs' | 'execTarget' | 'doctor' | 'readiness'>;

/** What runs: its output, a way in, and whether the machine is healthy. */
export function runtimeCommands(parts: CommandParts): RuntimeCommands {
  const { ports } = parts;
  return {
    logs: async function* (project, request) {
      const environment = environmentNamed(ports.store, project, request.environment);
      const secrets = ports.store.secrets.values(environment.id);
      const instances = await instancesOf(parts, project, request.environment, request.node);
      const options = { follow: request.follow, signal: request.signal, ...given('since', request.since), ...given('tail', request.tail) };
      const streams = instances.map(({ id, node }) => labelled(node, ports.engine.logs(id, options)));
      const lines = request.follow ? mergeStreams(streams, { ordered: false }) : mergeStreams(streams, { ordered: true });
      for await (const line of lines) yield { ...line, text: redact(line.text, secrets) };
    },
    execTarget: async (project, { environment, node }) => {
      const instances = (await instancesOf(parts, project, environment, node)).filter((instance) => instance.running);
      const [first] = instances;
      if (!first) throw new CoppiceError('not-found', `${node === '' ? 'the environment' : node} has no running instance`);
      return { instance: first.id };
    },
    doctor: async () => await doctorChecks(ports),
    readiness: async () => await partsHealth(ports),
  };
}

interface InstanceRef {
  readonly id: string;
  readonly node: NodeName;
  readonly running: boolean;
}

async function instancesOf({ ports }: CommandParts, project: string, name: string, node: string): Promise<readonly InstanceRef[]> {
  const environment = environmentNamed(ports.store, project, name);
  const listing = await ports.engine.inspect(environment.id);
  const names = new Set(environment.desired.spec?.nodes.map((spec) => spec.name));
  if (node !== '' && !names.has(node as NodeName)) {
    throw new CoppiceError('not-found', `no node is named "${node}"`, { hint: `there are: ${[...names].join(', ')}` });
  }
  const wanted = node === '' ? listing.generations : listing.generations.filter((generation) => generation.node === node);
  return wanted.flatMap((generation) =>
    generation.instances.map((instance) => ({ id: instance.id, node: generation.node, running: instance.state === 'running' })),
  );
}

async function* labelled(node: NodeName, lines: AsyncIterable<Omit<NodeLogLine, 'node'>>): AsyncIterable<NodeLogLine> {
  for await (const line of lines) yield { node, ...line };
}

function given<Key extends string, Value>(key: Key, value: Value | undefined): { readonly [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: Value };
}

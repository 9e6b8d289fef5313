import type { Engine } from '@coppice/engine';
import { isCoppiceError, type ObservedInstance, type ReadinessSpec } from '@coppice/model';
import { probeExchange } from './probe-exchange.ts';
import { probeHttp } from './probe-http.ts';
import type { ProbeResult } from './probe-result.ts';
import { probeTcp } from './probe-tcp.ts';

/** Asks one instance once. */
export type ProbeOnce = (instance: ObservedInstance, readiness: ReadinessSpec) => Promise<ProbeResult>;

/**
 * One probe of an instance. `alive` is ready whenever the process runs: how long it must, only who waits can tell. Throws
 * `engine-unreachable`; whatever else goes wrong is an answer.
 */
export function createProbe(engine: Pick<Engine, 'exec'>): ProbeOnce {
  return async (instance, { probe, timeoutMs }) => {
    if (instance.state !== 'running') return { ready: false, answer: `not running (${instance.state})` };
    if (probe.kind === 'alive') return { ready: true, answer: 'running' };
    if (probe.kind === 'command') return await probeCommand(engine, instance.id, { argv: probe.argv, timeoutMs });
    if (instance.address === undefined) return { ready: false, answer: 'no address yet' };
    const target = { address: instance.address, port: probe.port, timeoutMs };
    if (probe.kind === 'tcp') return await probeTcp(target);
    return probe.kind === 'http' ? await probeHttp(target, probe.path) : await probeExchange(target, probe);
  };
}

async function probeCommand(
  engine: Pick<Engine, 'exec'>,
  id: string,
  command: { readonly argv: readonly string[]; readonly timeoutMs: number },
): Promise<ProbeResult> {
  try {
    const { exitCode, stdout, stderr } = await engine.exec(id, command);
    const said = (stderr.trim() || stdout.trim()).split('\n').at(-1) ?? '';
    return { ready: exitCode === 0, answer: `exit code ${exitCode}${said === '' ? '' : `: ${said.slice(0, 200)}`}` };
  } catch (error) {
    // The instance may end while it is asked: that is an answer. Nobody knows anything where the engine is not there.
    if (!isCoppiceError(error, 'engine-failed')) throw error;
    return { ready: false, answer: error.message };
  }
}

/** What a probe asks, in words. */
export function describeProbe({ probe }: ReadinessSpec): string {
  switch (probe.kind) {
    case 'alive':
      return `running for ${probe.forMs} ms`;
    case 'tcp':
      return `TCP on port ${probe.port}`;
    case 'http':
      return `GET ${probe.path} on port ${probe.port}`;
    case 'exchange':
      return `an exchange on port ${probe.port}`;
    case 'command':
      return `the command ${probe.argv.join(' ')}`;
  }
}

import { connect } from 'node:net';
import { connectionAnswer, type ProbeResult, type ProbeTarget } from './probe-result.ts';

/** Ready when the port accepts a connection. Never rejects. */
export function probeTcp({ address, port, timeoutMs }: ProbeTarget): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (result: ProbeResult): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(timeoutMs, () => end({ ready: false, answer: `no connection within ${timeoutMs} ms` }));
    socket.on('error', (error) => end({ ready: false, answer: connectionAnswer(error) }));
    socket.on('connect', () => end({ ready: true, answer: 'connected' }));
  });
}

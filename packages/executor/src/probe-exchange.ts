import { connect } from 'node:net';
import { connectionAnswer, type ProbeResult, type ProbeTarget } from './probe-result.ts';

const shown = 40;

/** Ready when what comes after `send` starts with one of `expect` (latin1 text standing for bytes). Never rejects. */
export function probeExchange(
  { address, port, timeoutMs }: ProbeTarget,
  { send, expect }: { readonly send: string; readonly expect: readonly string[] },
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect({ host: address, port });
    const deadline = setTimeout(() => end(false, `no complete answer within ${timeoutMs} ms`), timeoutMs);
    const end = (ready: boolean, answer: string): void => {
      clearTimeout(deadline);
      socket.destroy();
      resolve({ ready, answer });
    };
    socket.on('error', (error) => end(false, connectionAnswer(error)));
    socket.on('connect', () => socket.write(Buffer.from(send, 'latin1')));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (expect.some((text) => received.startsWith(text))) end(true, 'answered');
      else if (!expect.some((text) => text.startsWith(received))) end(false, `answered ${JSON.stringify(received.slice(0, shown))}`);
    });
    socket.on('end', () =>
      end(false, received === '' ? 'closed without an answer' : `answered ${JSON.stringify(received.slice(0, shown))}`),
    );
  });
}

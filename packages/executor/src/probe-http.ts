import { request } from 'node:http';
import { connectionAnswer, type ProbeResult, type ProbeTarget } from './probe-result.ts';

/** Ready when a GET is answered with 2xx or 3xx; the body is not read. Never rejects. */
export function probeHttp({ address, port, timeoutMs }: ProbeTarget, path: string): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const asked = request({ host: address, port, path, agent: false, headers: { 'user-agent': 'coppice-probe', connection: 'close' } });
    const deadline = setTimeout(() => end({ ready: false, answer: `no answer within ${timeoutMs} ms` }), timeoutMs);
    const end = (result: ProbeResult): void => {
      clearTimeout(deadline);
      resolve(result);
      asked.destroy();
    };
    asked.on('error', (error) => end({ ready: false, answer: connectionAnswer(error) }));
    asked.on('response', (response) => {
      const status = response.statusCode ?? 0;
      response.resume();
      end({ ready: status >= 200 && status < 400, answer: `HTTP ${status}` });
    });
    asked.end();
  });
}

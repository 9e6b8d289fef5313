import { request } from 'node:http';

const defaultSocket = '/var/run/docker.sock';
const patienceMs = 5_000;

/** Where the engine is asked: `DOCKER_HOST`, else the default socket. */
export function engineAddress() {
  const host = process.env['DOCKER_HOST'] ?? '';
  if (host === '') return { text: `unix://${defaultSocket}`, isDefault: true, options: { socketPath: defaultSocket } };
  if (host.startsWith('unix://')) {
    const socketPath = host.slice('unix://'.length);
    return { text: host, isDefault: socketPath === defaultSocket || socketPath === '/run/docker.sock', options: { socketPath } };
  }
  const url = host.startsWith('tcp://') && URL.canParse(host) ? new URL(host.replace('tcp://', 'http://')) : undefined;
  return { text: host, isDefault: false, options: url && { host: url.hostname, port: url.port === '' ? 2375 : url.port } };
}

/** Asks the engine for a sign of life: `answers`, `silent`, or `forbidden` where the socket is closed to us. */
export function engineAnswers() {
  const { options } = engineAddress();
  if (options === undefined) return Promise.resolve({ kind: 'silent', why: 'DOCKER_HOST is neither unix:// nor tcp://' });
  return new Promise((resolve) => {
    const ping = request({ ...options, path: '/_ping', timeout: patienceMs }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200 ? { kind: 'answers' } : { kind: 'silent', why: `it answers ${answer.statusCode}` });
    });
    ping.on('timeout', () => ping.destroy(new Error(`no answer within ${patienceMs} ms`)));
    ping.on('error', (error) => resolve({ kind: error.code === 'EACCES' ? 'forbidden' : 'silent', why: error.message }));
    ping.end();
  });
}

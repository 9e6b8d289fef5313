import { request } from 'node:http';

const socketPath = (process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock').replace('unix://', '');

/** One bare call of the Engine API, as fast as it gets; the answer's last line parsed. Throws what the engine says where it refuses. */
export async function dockerApi<Answer>(
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  options: { readonly body?: object; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Answer> {
  const text = await new Promise<string>((resolve, reject) => {
    const headers = { ...(options.body ? { 'content-type': 'application/json' } : {}), ...options.headers };
    const asked = request({ socketPath, method, path, headers }, (response) => {
      let answer = '';
      response.on('data', (bytes: Buffer) => (answer += bytes.toString('utf8')));
      response.on('error', reject);
      response.on('end', () => ((response.statusCode ?? 500) < 400 ? resolve(answer) : reject(new Error(`${method} ${path}: ${answer}`))));
    });
    asked.on('error', reject);
    asked.end(options.body ? JSON.stringify(options.body) : undefined);
  });
  if (text.includes('"errorDetail"')) throw new Error(`${method} ${path}: ${text}`);
  const last = text.trim().split('\n').at(-1) ?? '';
  return (last === '' ? undefined : JSON.parse(last)) as Answer;
}

import type { FileTexts } from '../e2e/harness/clone.ts';
import { tinyApp } from '../e2e/harness/tiny-app.ts';

/** Where the application keeps the ids that were posted to it: a file that old and new instance share, a file of its own, or Redis. */
export type NotedStore = 'shared file' | 'exclusive file' | 'redis';

/**
 * An application that notes the body of every POST to `/` and answers `version`; `/noted` gives all that was ever noted, a line each, so
 * that a test can tell whether a request was executed twice. `setting` is a value whose change replaces Redis.
 */
export function notedApp(store: NotedStore, version: string, setting = 100): FileTexts {
  const web = `applications:
  web:
    type: nodejs:24
    start: node server.mjs
`;
  const yaml = {
    'shared file': `${web}    mounts: { data: storage }\n`,
    'exclusive file': `${web}    mounts: { data: instance }\n`,
    redis: `${web}    relationships: [store]\nservices:\n  store: { type: "redis:7", configuration: { properties: { maxclients: ${setting} } } }\n`,
  }[store];
  const body = `let id = ''; for await (const chunk of request) id += chunk; await note(id); response.end(version);`;
  return tinyApp({
    yaml,
    before: `const version = ${JSON.stringify(version)};\n${store === 'redis' ? redisStore : fileStore}`,
    paths: {
      '/': `if (request.method === 'POST') { ${body} } else response.end(version);`,
      '/noted': `response.end(await noted());`,
      '/stream': streamed,
    },
    after: socket,
  });
}

const streamed = `response.writeHead(200, { 'content-type': 'text/event-stream' });
    const timer = setInterval(() => response.write('data: ' + version + '\\n\\n'), 50);
    const leave = () => response.end();
    process.once('SIGTERM', leave);
    response.on('close', () => { clearInterval(timer); process.off('SIGTERM', leave); });`;

/** A WebSocket that sends the version every 50 ms and says 1001 (going away) when the application has to end, RFC 6455. */
const socket = `const { createHash } = await import('node:crypto');
const frame = (opcode, payload) => Buffer.concat([Buffer.from([0x80 | opcode, payload.length]), payload]);
server.on('upgrade', (request, connection) => {
  const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  connection.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n');
  const timer = setInterval(() => connection.write(frame(1, Buffer.from(version))), 50);
  const leave = () => { clearInterval(timer); connection.end(frame(8, Buffer.from([0x03, 0xe9]))); };
  process.once('SIGTERM', leave);
  connection.on('error', () => undefined);
  connection.on('close', () => { clearInterval(timer); process.off('SIGTERM', leave); });
});`;

const fileStore = `import { appendFile, readFile } from 'node:fs/promises';
const note = (id) => appendFile('data/noted', id + '\\n');
const noted = () => readFile('data/noted', 'utf8').catch(() => '');`;

const redisStore = `import { createConnection } from 'node:net';
const ask = (command, isWhole) => new Promise((resolve, reject) => {
  const { STORE_HOST: host, STORE_PORT: port, STORE_USERNAME: user, STORE_PASSWORD: password } = process.env;
  const socket = createConnection({ host, port: Number(port) }, () => socket.write('AUTH ' + user + ' ' + password + '\\r\\n' + command + '\\r\\n'));
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk) => {
    text += chunk;
    if (!isWhole(text)) return;
    socket.destroy();
    resolve(text);
  });
  socket.on('error', reject);
  socket.on('close', () => reject(new Error('redis closed: ' + text)));
});
const note = async (id) => {
  const answer = await ask('RPUSH noted ' + id, (text) => text.split('\\r\\n').length > 2);
  if (!answer.startsWith('+OK\\r\\n:')) throw new Error(answer);
};
const noted = async () => {
  const answer = await ask('LRANGE noted 0 -1', (text) => {
    const count = Number(/^\\+OK\\r\\n\\*(\\d+)\\r\\n/.exec(text)?.[1]);
    return text.split('\\r\\n').length >= 3 + 2 * count;
  });
  return answer.split('\\r\\n').filter((line) => /^\\d+-/.test(line)).join('\\n');
};`;

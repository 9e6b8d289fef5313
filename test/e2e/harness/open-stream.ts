import { request } from 'node:http';

/** An answer that goes on. */
export interface OpenStream {
  /** All that came so far. */
  readonly text: () => string;
  /** How it ended: as HTTP says, or by a connection that broke. */
  readonly ended: Promise<'end' | 'broken'>;
  /** Leaves it. */
  readonly close: () => void;
}

/** Asks the router at `address` for `/stream` of a host; resolves once the answer begins. */
export async function openStream(address: string, host: string): Promise<OpenStream> {
  const [hostname, port] = address.split(':');
  return await new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path: '/stream', headers: { host }, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      const ended = new Promise<'end' | 'broken'>((settle) => {
        answer.on('end', () => settle('end'));
        answer.on('error', () => settle('broken'));
      });
      resolve({ text: () => text, ended, close: () => asked.destroy() });
    });
    asked.on('error', reject);
    asked.end();
  });
}

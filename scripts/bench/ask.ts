import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** Where an answer is asked for: an address, and the host that is named there. */
export interface Place {
  readonly address: string;
  readonly port: number;
  readonly host: string;
  /** `/` where missing. */
  readonly path?: string;
}

/** Between two questions: often enough to see a change at once, seldom enough to leave the processor to what is measured. */
const everyMs = 10;
const deadlineMs = 60_000;

/** What is waited for, in words and as a rule of the body. */
export interface Expected {
  readonly what: string;
  readonly is: (body: string) => boolean;
}

/** Asks again and again until the body is `expected`; resolves with the time of that answer by the monotonic clock, in ms. */
export async function firstAnswer(place: Place, expected: string): Promise<number> {
  return await firstAnswerThat(place, { what: JSON.stringify(expected), is: (body) => body === expected });
}

/** The same until the body is as it is to be. */
export async function firstAnswerThat(place: Place, expected: Expected): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const endMs = performance.now() + deadlineMs;
  let last = '';
  try {
    while (performance.now() < endMs) {
      last = await ask(place, agent);
      if (expected.is(last)) return performance.now();
      await pause(everyMs);
    }
  } finally {
    agent.destroy();
  }
  throw new Error(`${place.host} did not answer ${expected.what} within ${deadlineMs} ms, but ${JSON.stringify(last.slice(0, 200))}`);
}

/** The body of one answer, whatever its status; what went wrong where there is none. */
export async function ask(place: Place, agent?: Agent): Promise<string> {
  return await new Promise((resolve) => {
    const { address, port, host, path = '/' } = place;
    const options = { host: address, port, path, headers: { host }, timeout: 5_000, ...(agent ? { agent } : {}) };
    const asked = request(options, (answer) => {
      let body = '';
      answer.on('data', (bytes: Buffer) => (body += bytes.toString('utf8')));
      answer.on('end', () => resolve(body));
      answer.on('error', (error) => resolve(error.message));
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer within 5 s')));
    asked.on('error', (error) => resolve(error.message));
    asked.end();
  });
}

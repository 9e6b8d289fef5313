import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import WebSocket from 'ws';
import { addExecUpgrade, type ExecParts } from './exec-upgrade.ts';

test('a size that cannot be read changes nothing and ends nothing', async () => {
  const sizes: (readonly number[])[] = [];
  const input = new PassThrough();
  const attached = {
    input,
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    resize: async (columns: number, rows: number) => {
      sizes.push([columns, rows]);
      throw new Error('the command ended');
    },
    exitCode: async () => await once(input, 'finish').then(() => 0),
  };
  const engine: ExecParts['engine'] = { attach: async () => attached };
  const control = { execTarget: async () => ({ instance: 'i' }) } as unknown as ExecParts['control'];
  const server = createServer();
  addExecUpgrade(server, { control, engine, verify: () => 'admin' });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `ws://127.0.0.1:${port}/v1/projects/p/environments/e/exec?node=web&argv=["ls"]`;
  const client = new WebSocket(url, { headers: { authorization: 'Bearer t' } });
  try {
    await once(client, 'open');
    for (const text of ['nonsense', '{"columns":"x"}', '{"columns":80,"rows":24}']) client.send(Buffer.from(`\x03${text}`));
    client.send(Buffer.from([5]));
    const [last] = await once(client, 'message');
    assert.deepEqual([String(last), sizes], ['\x040', [[80, 24]]]);
  } finally {
    client.terminate();
    server.close();
  }
});

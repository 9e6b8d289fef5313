import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { GitClient } from './testing/git-client.ts';

const mebibytes = 256;

test(`a push of ${mebibytes} MiB and a clone of it grow the server by less than 64 MiB`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'coppice-git-'));
  const server = fork(join(import.meta.dirname, 'testing/measured-server.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  try {
    const [{ remote, rss }] = await once(server, 'message');
    const client = new GitClient(folder);
    await client.run('init', '--quiet', '--initial-branch=main');
    // in pieces, so that this process stays small too
    for (let part = 0; part < 8; part += 1) {
      const file = createWriteStream(join(folder, `part-${part}`));
      const block = Buffer.alloc(1024 * 1024);
      for (let written = 0; written < mebibytes / 8; written += 1) {
        if (!file.write(Buffer.from(randomFillSync(block)))) await once(file, 'drain');
      }
      file.end();
      await once(file, 'close');
    }
    await client.run('-c', 'core.bigFileThreshold=1m', 'add', '--all');
    await client.run('commit', '--quiet', '-m', 'Large');
    const pushed = await client.try(['-c', 'core.bigFileThreshold=1m', 'push', remote, 'main']);
    assert.equal(pushed.exitCode, 0, pushed.stderr);
    await client.run('clone', '--quiet', '--bare', remote, join(folder, 'copy.git'));
    server.send('measure');
    const [{ peak }] = await once(server, 'message');
    assert.ok(peak - rss < 64 * 1024 * 1024, `grew by ${((peak - rss) / 1024 ** 2).toFixed(1)} MiB`);
  } finally {
    const exited = once(server, 'exit');
    server.send('stop');
    await exited;
    await rm(folder, { recursive: true, force: true });
  }
});

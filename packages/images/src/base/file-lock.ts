import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CoppiceError } from '@coppice/model';

/**
 * Runs `work` while holding the lock of a file, against other processes and other callers in this one. The kernel frees it when
 * this process dies, however it does, so there are no stale locks. Errors: `missing-tool`, `cancelled`, and those of `work`.
 */
export async function withExclusiveLock<T>(file: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const release = await acquire(file, 'wait', signal);
  if (release === undefined) throw new CoppiceError('internal', `no lock on ${file}`);
  try {
    return await work();
  } finally {
    await release();
  }
}

/** The same for work that may run beside other such work, and not beside what holds the lock alone. */
export async function withSharedLock<T>(file: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const release = await acquire(file, 'share', signal);
  if (release === undefined) throw new CoppiceError('internal', `no lock on ${file}`);
  try {
    return await work();
  } finally {
    await release();
  }
}

/** Like `withExclusiveLock`, but resolves with `busy` without running `work` where somebody else holds it. */
export async function tryExclusiveLock(file: string, work: () => Promise<void>): Promise<'done' | 'busy'> {
  const release = await acquire(file, 'try');
  if (release === undefined) return 'busy';
  try {
    await work();
    return 'done';
  } finally {
    await release();
  }
}

const flockOptions = { wait: ['--exclusive'], try: ['--exclusive', '--nonblock'], share: ['--shared'] } as const;

// Node has no flock(2). A `cat` that flock starts once it has the lock echoes our byte, and ends, freeing it, when our end of its pipe closes.
async function acquire(file: string, mode: keyof typeof flockOptions, signal?: AbortSignal): Promise<(() => Promise<void>) | undefined> {
  await mkdir(dirname(file), { recursive: true });
  const child = spawn('flock', [...flockOptions[mode], file, 'cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    signal,
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
  });
  const failed = once(child, 'error').then(([cause]: unknown[]) => {
    if (signal?.aborted) throw new CoppiceError('cancelled', 'cancelled while waiting for another build', { cause });
    throw new CoppiceError('missing-tool', 'flock of util-linux is not installed', { cause, hint: 'run npm run setup' });
  });
  // A `flock --nonblock` that ended closes its pipe before our byte is in it.
  child.stdin.on('error', () => undefined);
  child.stdin.write('\n');
  const answer = await Promise.race([
    once(child.stdout, 'data').then(() => 'held' as const),
    once(child, 'exit').then(() => 'busy' as const),
    failed,
  ]);
  failed.catch(() => undefined);
  if (answer === 'busy') return undefined;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return async () => {
    child.stdin.end();
    if (child.exitCode === null && child.signalCode === null) await gone;
  };
}

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupFailure } from './setup-failure.mjs';

const lockFile = join(tmpdir(), `coppice-setup-${userInfo().uid}.lock`);
const pollMs = 200;
const patienceMs = 20 * 60_000;

/** Runs `work` while no other set-up of this user changes the machine. The lock of a process that is gone is taken over. */
export async function withLock(work) {
  const deadline = Date.now() + patienceMs;
  while (!acquire()) {
    if (Date.now() > deadline)
      throw new SetupFailure(`another set-up has not ended for ${patienceMs / 60_000} minutes`, [`see ${lockFile}`]);
    await sleep(pollMs);
  }
  try {
    return await work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function acquire() {
  const draft = `${lockFile}.${process.pid}`;
  writeFileSync(draft, String(process.pid));
  try {
    // A link appears whole, with the process id in it, or not at all.
    linkSync(draft, lockFile);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    dropStale(draft);
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

function dropStale(draft) {
  const holder = readHolder(lockFile);
  if (holder === undefined || isAlive(holder)) return;
  const taken = `${draft}.stale`;
  try {
    renameSync(lockFile, taken);
    // Another waiter may have been faster, and this the fresh lock of a third: then it is given back.
    if (readHolder(taken) !== holder) linkSync(taken, lockFile);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  }
  rmSync(taken, { force: true });
}

function readHolder(path) {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

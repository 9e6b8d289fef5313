import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const administratorFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Runs a program with its output on our standard error; resolves with its exit code, or a text where it could not run or was killed. */
export function runCommand(program, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 2, 2], ...options });
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => resolve(code ?? `killed by ${signal}`));
  });
}

/** Whether a program is in the path, or in the folders of the administrator's programs. */
export function hasProgram(name) {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...administratorFolders].filter((folder) => folder !== '');
  return folders.some((folder) => isExecutable(join(folder, name)));
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

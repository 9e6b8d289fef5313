import { spawn } from 'node:child_process';
import { CoppiceError } from '@coppice/model';

/** Runs a program of the host with `input`; resolves with its output. `missing-tool` where it is not installed, else `engine-failed`. */
export function runTool(program: string, args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' } });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    child.on('error', (cause) => {
      reject(new CoppiceError('missing-tool', `cannot run ${program}`, { cause, hint: `Install ${program}: npm run setup does.` }));
    });
    // A program that fails before it reads all input closes the pipe; its exit code tells.
    child.stdin.on('error', (error) => {
      errors += `${error.message}\n`;
    });
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new CoppiceError('engine-failed', `${program} failed (${code}): ${errors.trim().slice(0, 2000)}`));
    });
    child.stdin.end(input);
  });
}

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../../bin/coppice', import.meta.url));

/** For tests: what came of a run of the command. */
export interface CoppiceResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** For tests: runs `bin/coppice` in a folder, with no variable of its own but those given; killed after a minute. */
export async function runCoppice(
  where: { readonly folder: string; readonly variables?: Readonly<Record<string, string>> },
  ...args: readonly string[]
): Promise<CoppiceResult> {
  const env = { PATH: process.env['PATH'], ...where.variables };
  const child = spawn(program, args, { cwd: where.folder, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  return await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...output }));
  });
}

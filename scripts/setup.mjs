// Brings a machine to where Coppice can run: npm packages, the host's tools, a container engine. Idempotent; safe when run twice at once.
// Plain JavaScript for any Node >= 20, without packages, since it is what installs them.
//   --quiet          prints nothing when all is there
//   --packages-only  only the npm packages
//   --bench          also what `npm run bench` needs
import { engineStep } from './setup/engine.mjs';
import { withLock } from './setup/lock.mjs';
import { packagesStep } from './setup/packages.mjs';
import { SetupFailure } from './setup/setup-failure.mjs';
import { benchToolsStep, toolsStep } from './setup/tools.mjs';

const known = new Set(['--quiet', '--packages-only', '--bench']);

async function main(args) {
  const unknown = args.find((argument) => !known.has(argument));
  if (unknown !== undefined) throw new SetupFailure(`unknown argument ${unknown}`, ['use --quiet, --packages-only, --bench']);
  const quiet = args.includes('--quiet');
  const steps = args.includes('--packages-only')
    ? [packagesStep]
    : [packagesStep, toolsStep, ...(args.includes('--bench') ? [benchToolsStep] : []), engineStep];
  for (const step of steps) {
    // Looked at before the lock is asked for: where all is there, nobody waits for anybody.
    if ((await step.missing()).length > 0) await withLock(() => complete(step));
    if (!quiet) process.stdout.write(`${step.title}: ready\n`);
  }
}

async function complete(step) {
  const missing = await step.missing();
  if (missing.length === 0) return;
  process.stderr.write(`setup: ${step.title}: ${missing.join(', ')}\n`);
  await step.provide(missing);
  const left = await step.missing();
  if (left.length > 0) throw new SetupFailure(`${step.title}: still missing after the set-up: ${left.join(', ')}`, []);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetupFailure)) throw error;
  process.stderr.write(`setup: ${error.message}\n${error.todo.map((line) => `  ${line}\n`).join('')}`);
  process.exitCode = 1;
}

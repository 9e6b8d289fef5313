import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { type DemoServer, removeDemo, startDemoServer } from './demo/demo-server.ts';
import { run } from './demo/run.ts';

/** The demo: a server, a push, a change, a branch and a revert, as a newcomer would do them. `--down` removes every trace. */

const data = process.getuid?.() === 0 ? '/var/lib/coppice-demo' : `/var/tmp/coppice-demo-${process.getuid?.() ?? 0}`;
const root = join(import.meta.dirname, '..');
const clone = join(data, 'guestbook');
const identity = {
  GIT_AUTHOR_NAME: 'You',
  GIT_AUTHOR_EMAIL: 'you@example.org',
  GIT_COMMITTER_NAME: 'You',
  GIT_COMMITTER_EMAIL: 'you@example.org',
};

if (process.argv.includes('--down')) {
  removeDemo(data);
  say('The demo is gone: its server, containers, networks, router and data.');
} else await demo();

async function demo(): Promise<void> {
  say('Starting a Coppice server. The first push also builds the base images from Debian packages: a minute or two, once per machine.');
  const server = await startDemoServer(data);
  coppice(server, ['project', 'create', 'guestbook']);
  cpSync(join(root, 'examples', 'guestbook'), clone, { recursive: true, filter: (path) => !path.includes('node_modules') });
  run('cat', ['coppice.yaml'], { cwd: clone });
  git(['init', '--quiet', '--initial-branch=main']);
  git(
    ['remote', 'add', 'coppice', server.api.replace('http://', `http://demo:${server.token}@`).concat('/git/guestbook.git')],
    'git remote add coppice …/git/guestbook.git',
  );
  commitAll('The guestbook');
  git(['push', 'coppice', 'main']);
  await show(server, 'main', 'It is live:');

  say('Now one changed line:');
  changeGreeting('Hello from the second push');
  commitAll('Greet differently');
  const started = performance.now();
  git(['push', 'coppice', 'main']);
  say(`(that push took ${((performance.now() - started) / 1000).toFixed(2)} s)`);
  await show(server, 'main', 'The new line is live:');

  say('A branch is an environment of its own:');
  git(['checkout', '--quiet', '-b', 'try']);
  changeGreeting('Hello from a branch');
  commitAll('Try something');
  git(['push', 'coppice', 'try']);
  await show(server, 'try', 'The branch answers on its own host, main is untouched:');
  git(['checkout', '--quiet', 'main']);

  say('A revert brings back the exact release before, without building anything:');
  git(['revert', '--no-edit', 'HEAD']);
  git(['push', 'coppice', 'main']);
  await show(server, 'main', 'As before:');
  coppice(server, ['deployments']);
  coppice(server, ['env', 'list']);
  say(`All of it keeps running:
  ${urlOf(server, 'main')}
  ${urlOf(server, 'try')}
The clone to push from is ${clone}. Remove everything with: npm run demo -- --down`);
}

function say(text: string): void {
  process.stdout.write(`\n${text}\n`);
}

function git(args: readonly string[], shown?: string): void {
  run('git', args, { cwd: clone, env: identity, ...(shown === undefined ? {} : { shown }) });
}

function commitAll(message: string): void {
  run('git', ['add', '--all'], { cwd: clone, quiet: true });
  git(['commit', '--quiet', '--message', message]);
}

function coppice(server: DemoServer, args: readonly string[]): void {
  const env = { COPPICE_URL: server.api, COPPICE_TOKEN: server.token, COPPICE_PROJECT: 'guestbook' };
  run(join(root, 'bin', 'coppice'), args, { env, shown: ['coppice', ...args].join(' ') });
}

function changeGreeting(greeting: string): void {
  const path = join(clone, 'page.js');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/greeting = '.*';/, `greeting = '${greeting}';`));
}

function urlOf(server: DemoServer, environment: string): string {
  return `http://${environment}.guestbook.localhost:${server.router.split(':').at(-1)}/`;
}

async function show(server: DemoServer, environment: string, heading: string): Promise<void> {
  const url = new URL(urlOf(server, environment));
  const page = await get(url);
  say(`${heading}\n  ${url.href}  →  ${/<h1>(.*)<\/h1>/.exec(page)?.[1] ?? page}`);
}

/** Asks the router itself: not every machine resolves names below localhost. */
async function get(url: URL): Promise<string> {
  return await new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: url.port, path: url.pathname, headers: { host: url.host } }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('end', () => (answer.statusCode === 200 ? resolve(text) : reject(new Error(`${url.href} answered ${answer.statusCode}`))));
    });
    asked.on('error', reject);
    asked.end();
  });
}

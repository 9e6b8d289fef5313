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

  await sign(server, 'main', 'I was here');
  await show(server, 'main', 'Somebody signs it:');

  say('A branch is an environment of its own, which begins with a copy of all the data:');
  git(['checkout', '--quiet', '-b', 'try']);
  changeGreeting('Hello from a branch');
  commitAll('Try something');
  git(['push', 'coppice', 'try']);
  await sign(server, 'try', 'Only on the branch');
  await show(server, 'try', 'The branch answers on its own host, and is signed there:');
  await show(server, 'main', 'Main is untouched:');
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
  const page = await ask(url);
  const words = [...page.matchAll(/<li>(?:<b>.*<\/b> )?(.*)<\/li>/g)].map(([, text]) => `“${text}”`);
  say(`${heading}\n  ${url.href}  →  ${[/<h1>(.*)<\/h1>/.exec(page)?.[1] ?? page, ...words].join('  ')}`);
}

async function sign(server: DemoServer, environment: string, message: string): Promise<void> {
  const url = new URL('entries', urlOf(server, environment));
  const form = new URLSearchParams({ author: 'Ada', message }).toString();
  await ask(url, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: form, status: 303 });
}

interface Question {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What is to be answered. */
  readonly status?: number;
}

/** Asks the router itself: not every machine resolves names below localhost. */
async function ask(url: URL, { method = 'GET', headers = {}, body = '', status = 200 }: Question = {}): Promise<string> {
  return await new Promise((resolve, reject) => {
    const where = { host: '127.0.0.1', port: url.port, path: url.pathname, method, headers: { ...headers, host: url.host } };
    const asked = request(where, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('end', () =>
        answer.statusCode === status ? resolve(text) : reject(new Error(`${url.href} answered ${answer.statusCode}`)),
      );
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

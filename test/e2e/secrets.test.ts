import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ActivityView, DeploymentView } from '@coppice/control';
import { tinyApp } from './harness/tiny-app.ts';
import { type Clone, mustRun, TestServer } from './harness.ts';

const yaml = `applications:
  web:
    type: nodejs:24
    start: node server.mjs
    relationships: [cache, db]
services:
  cache: redis:7
  db: postgresql:15
`;
/** Says all that it knows. */
const talkative = 'console.log(JSON.stringify(process.env)); console.error(process.env.DB_PASSWORD, process.env.CACHE_URL);';

let server: TestServer;
let clone: Clone;
/** All that was ever printed at people. */
const said: string[] = [];
let secrets: readonly string[] = [];

before(async () => {
  server = await TestServer.start();
  clone = await server.project('vault');
  said.push((await clone.deploy(tinyApp({ yaml, before: talkative }))).output);
  secrets = await secretsOf();
  await clone.commit(tinyApp({ answer: 'two', yaml, before: `${talkative} process.exit(1);` }));
  said.push((await clone.push('main')).output);
  await clone.commit(tinyApp({ yaml: `${yaml.replace('    relationships', '    hooks: { deploy: "env; exit 3" }\n    relationships')}` }));
  said.push((await clone.push('main')).output);
});
after(async () => {
  await server.stop();
});

/** Every password that an instance was given, in each form it is known to have there. */
async function secretsOf(): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const { Config } of await server.containers()) {
    for (const line of Config.Env) {
      if (/_PASSWORD=/.test(line)) found.add(line.slice(line.indexOf('=') + 1));
    }
  }
  return [...found].flatMap((secret) => [secret, Buffer.from(secret).toString('base64').replace(/=+$/, '')]);
}

/** Which of `texts` hold a secret, by name. */
function leaks(texts: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(texts).flatMap(([name, text]) => (secrets.some((secret) => text.includes(secret)) ? [name] : []));
}

test('there are secrets to look for', () => {
  assert.ok(secrets.length >= 4);
  for (const secret of secrets) assert.ok(secret.length >= 16);
});

test('pushes say no secret, not even where an application or a hook prints it as it dies', () => {
  assert.match(said[1] ?? '', /exit code 1/);
  assert.match(said[2] ?? '', /exit code 3/);
  assert.deepEqual(leaks(Object.fromEntries(said.map((text, index) => [`push ${index}`, text]))), []);
});

test('no answer of the command line or the API holds a secret', async () => {
  const commands = [
    ['env', 'show'],
    ['env', 'list'],
    ['deployments'],
    ['release', 'show'],
    ['plan'],
    ['plan', 'HEAD'],
    ['explain', 'build', 'web'],
    ['explain', 'restart', 'web'],
    ['activity', 'list'],
    ['logs'],
    ['doctor'],
    ['config', 'show'],
  ];
  const texts: Record<string, string> = {};
  for (const command of commands) {
    for (const flags of [[], ['--json']]) {
      const { stdout, stderr } = await server.cliWith({ cwd: clone.folder }, ...command, ...flags);
      texts[[...command, ...flags].join(' ')] = `${stdout}${stderr}`;
    }
  }
  assert.match(texts['logs'] ?? '', /DB_PASSWORD/);
  for (const { id } of await server.read<ActivityView[]>('activity', 'list'))
    texts[`activity ${id}`] = (await server.cli('activity', 'log', id)).stdout;
  const [newest, oldest] = await server.read<DeploymentView[]>('deployments', '--project', 'vault');
  texts['diff'] = (await server.cli('diff', newest?.id ?? '', oldest?.id ?? '', '--project', 'vault', '--json')).stdout;
  for (const path of ['/metrics', '/v1/openapi.json', '/v1/projects/vault/environments', '/v1/projects/vault/deployments', '/readyz'])
    texts[path] = await (await server.api(path)).text();
  texts['notes'] = await clone
    .git('fetch', '--quiet', 'origin', 'refs/notes/coppice:refs/notes/coppice')
    .then(() => clone.git('grep', '-e', '.', 'refs/notes/coppice'));
  assert.deepEqual(leaks(texts), []);
});

test('no file of the data directory but those of the services, and no log of the server, holds a secret', async () => {
  const texts: Record<string, string> = { 'server.log': server.log };
  for (const path of filesBelow(server.data)) texts[path] = readFileSync(join(server.data, path), 'latin1');
  assert.ok(
    Object.keys(texts).some((path) => path.includes('.db') || path.includes('sqlite')),
    Object.keys(texts).join('\n'),
  );
  assert.deepEqual(leaks(texts), []);
});

test('labels, commands, images and process lists hold no secret', async () => {
  const texts: Record<string, string> = {};
  for (const { Name, Config, Image } of await server.containers()) {
    texts[`labels of ${Name}`] = JSON.stringify(Config.Labels);
    texts[`command of ${Name}`] = JSON.stringify(Config.Cmd);
    texts[`image of ${Name}`] = await mustRun('docker', ['image', 'inspect', Image]);
    texts[`history of ${Name}`] = await mustRun('docker', ['history', '--no-trunc', Image]);
  }
  texts['ps'] = await mustRun('ps', ['-eww', '-o', 'args']);
  assert.ok(texts['ps']?.includes('server.mjs'));
  assert.deepEqual(leaks(texts), []);
});

test('the key of the secrets and the token lie in files of their own that only the owner reads', () => {
  const modes = readdirSync(server.data)
    .filter((name) => /key|token/.test(name))
    .map((name) => [name, (statSync(join(server.data, name)).mode & 0o777).toString(8)]);
  assert.ok(modes.length >= 2, String(modes));
  for (const [name, mode] of modes) assert.equal(mode, '600', name);
});

/** Files of what Coppice itself keeps: not the volumes, which belong to the applications. */
function filesBelow(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => !path.startsWith('volumes/'));
}

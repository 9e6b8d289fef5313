import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ActivityView, DeploymentView } from '@coppice/control';
import { openStore } from '@coppice/state';
import Sqlite from 'better-sqlite3';
import { apiAnswers } from './harness/api-answers.ts';
import { CommandLineWatch, commandLines } from './harness/command-lines.ts';
import { EventRecord } from './harness/event-record.ts';
import { secretForms } from './harness/secret-forms.ts';
import { tinyApp } from './harness/tiny-app.ts';
import { type Clone, mustRun, runProgram, TestServer } from './harness.ts';

const yaml = `applications:
  web:
    type: nodejs:24
    start: node server.mjs
    build: ['env; printf %s "$PIP_INDEX_URL" | base64 -w0; echo']
    relationships: [cache, db]
services:
  cache: redis:7
  db: postgresql:15
`;
/** Says all that it knows. */
const talkative = 'console.log(JSON.stringify(process.env)); console.error(process.env.DB_PASSWORD, process.env.CACHE_URL);';
/** A password of a registry that builds are given, as it is and as it stands in the URL. Nobody asks that registry. */
const registryPassword = `${randomBytes(18).toString('base64url')}/+1`;
const registryUrl = `https://reader:${encodeURIComponent(registryPassword)}@packages.invalid/simple`;

let server: TestServer;
let clone: Clone;
/** All that was ever printed at people, and the events meanwhile. */
const said: string[] = [];
let events: EventRecord;
/** Of all processes that ran meanwhile. */
let commands: readonly string[] = [];
/** By what it is. */
let secrets: Readonly<Record<string, string>> = {};

before(async () => {
  server = await TestServer.start({ variables: { PIP_INDEX_URL: registryUrl } });
  events = await EventRecord.start(server);
  const watch = new CommandLineWatch();
  clone = await server.project('vault');
  said.push((await clone.deploy(tinyApp({ yaml, before: talkative }))).output);
  said.push((await clone.push('HEAD:refs/heads/feature')).output);
  await clone.commit(tinyApp({ answer: 'two', yaml, before: `${talkative} process.exit(1);` }));
  said.push((await clone.push('main')).output);
  await clone.commit(tinyApp({ yaml: yaml.replace('    relationships', '    hooks: { deploy: "env; exit 3" }\n    relationships') }));
  said.push((await clone.push('main')).output);
  await clone.commit(tinyApp({ yaml: yaml.replace('base64 -w0; echo', 'base64 -w0 > auth.txt') }));
  said.push((await clone.push('main')).output);
  commands = watch.stop();
  secrets = secretsOf();
});
after(async () => {
  events.stop();
  await server.stop();
});

/** Everything that must not be seen. */
function secretsOf(): Readonly<Record<string, string>> {
  const store = openStore({ directory: server.data });
  const generated = store.secrets.values(undefined);
  store.close();
  return {
    ...Object.fromEntries(generated.map((value, index) => [`generated ${index}`, value])),
    'admin token': server.token,
    'registry token': readFileSync(join(server.data, 'registry-token'), 'utf8').trim(),
    'secret key': readFileSync(join(server.data, 'secret.key'), 'utf8').trim(),
    'registry password': registryPassword,
    'registry password in URLs': encodeURIComponent(registryPassword),
  };
}

/** Which of `texts` hold which secret in any form. */
function leaks(texts: Readonly<Record<string, string>>): readonly string[] {
  const looked = Object.entries(secrets).map(([name, secret]) => ({ name, forms: secretForms(secret) }));
  return Object.entries(texts).flatMap(([place, text]) =>
    looked.filter(({ forms }) => forms.some((form) => text.includes(form))).map(({ name }) => `${place}: ${name}`),
  );
}

/** Paths of the files below `folder` that hold a secret in any form, and of those whose names do. */
async function leakyFiles(folder: string): Promise<readonly string[]> {
  const forms = Object.values(secrets).flatMap(secretForms);
  const args = ['--recursive', '--files-with-matches', '--fixed-strings', '--file=-', '.'];
  const found = await runProgram('grep', args, { cwd: folder, input: forms.join('\n'), env: { PATH: process.env['PATH'], LC_ALL: 'C' } });
  assert.ok(found.code <= 1, found.stderr);
  const named = readdirSync(folder, { recursive: true }).filter((path) => leaks({ path: String(path) }).length > 0);
  return [...lines(found.stdout).map((path) => path.replace(/^\.\//, '')), ...named.map(String)].sort();
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}

test('there are secrets to look for, those that instances were given among them, and they are found in every form', async () => {
  const given = (await server.containers()).flatMap(({ Config }) => Config.Env.flatMap((line) => /_PASSWORD=(.*)$/.exec(line)?.[1] ?? []));
  assert.deepEqual([given.length, given.filter((password) => !Object.values(secrets).includes(password))], [4, []]);
  for (const secret of Object.values(secrets)) {
    assert.ok(secret.length >= 16);
    const encoded = ['', 'a', 'ab', 'abc'].map((before) => Buffer.from(`${before}${secret}z`).toString('base64'));
    for (const text of [secret, encodeURIComponent(secret), ...encoded]) assert.notDeepEqual(leaks({ text: `-${text}-` }), [], secret);
  }
});

test('pushes say no secret, not even where an application or a hook prints it as it dies', () => {
  assert.match(said[2] ?? '', /exit code 1/);
  assert.match(said[3] ?? '', /exit code 3/);
  assert.deepEqual(leaks(Object.fromEntries(said.map((text, index) => [`push ${index}`, text]))), []);
});

test('a build that leaves a secret of the server in its image is refused, and told where it stands', () => {
  assert.match(said[0] ?? '', /PIP_INDEX_URL=https:/);
  assert.match(
    said[4] ?? '',
    /build step 1 \(.*\) wrote a secret that the server gave it into \/app\/auth\.txt; nothing of this step was kept/,
  );
  assert.match(said[4] ?? '', /delete it in the same step/);
});

test('no answer of the command line holds a secret', async () => {
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
  assert.deepEqual(leaks(texts), []);
});

test('no answer of the API, of whatever path, holds a secret', async () => {
  const activities = (await server.read<ActivityView[]>('activity', 'list')).map(({ id }) => id);
  const deployments = (await server.read<DeploymentView[]>('deployments', '--project', 'vault')).map(({ id }) => id);
  const answers = await apiAnswers(server, {
    parameters: {
      project: ['vault'],
      environment: ['main', 'feature'],
      about: ['build', 'restart'],
      node: ['web', 'cache', 'db'],
      id: activities,
    },
    queries: { '/v1/projects/{project}/diff': [`?from=${deployments.at(0)}&to=${deployments.at(-1)}`, '?from=main&to=feature'] },
    endless: ['/v1/events'],
  });
  assert.ok(Object.keys(answers).length > 20, Object.keys(answers).join('\n'));
  const others: Record<string, string> = { '/v1/events': events.text };
  for (const path of ['/metrics', '/healthz', '/readyz', '/v1/nowhere', '/v2/', '/git/vault.git/info/refs?service=git-upload-pack'])
    others[path] = await (await server.api(path)).text();
  assert.match(events.text, /vault/);
  assert.deepEqual(leaks({ ...answers, ...others }), []);
});

test('no object, note or reference of the repositories holds a secret', async () => {
  const texts: Record<string, string> = {};
  const repositories = join(server.data, 'repositories');
  for (const name of readdirSync(repositories)) {
    const git = ['-c', 'safe.directory=*', '--git-dir', join(repositories, name)];
    texts[`objects of ${name}`] = await mustRun('git', [...git, 'cat-file', '--batch-all-objects', '--batch']);
    texts[`references of ${name}`] = await mustRun('git', [...git, 'for-each-ref']);
  }
  const all = Object.values(texts).join('\n');
  for (const known of ['refs/notes/coppice', 'refs/heads/feature', 'createServer']) assert.ok(all.includes(known), known);
  assert.deepEqual(leaks(texts), []);
});

test('no row of the database holds a secret, cut into pages or not', () => {
  const database = new Sqlite(join(server.data, 'state.db'), { readonly: true });
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all().map(String);
  const texts = Object.fromEntries(
    tables.map((name) => [name, database.prepare(`SELECT * FROM "${name}"`).raw().all().map(rowText).join('\n')]),
  );
  database.close();
  for (const table of ['secrets', 'tokens', 'activities', 'deployments']) assert.notEqual(texts[table], '', table);
  assert.deepEqual(leaks(texts), []);
});

test('of all files below the data directory only those that are made for a secret hold one, and the log of the server none', async () => {
  const files = readdirSync(server.data, { recursive: true }).map(String);
  for (const kind of [
    /^state\.db$/,
    /^state\.db-wal$/,
    /^router\/haproxy\.cfg$/,
    /^images\/blobs\/sha256\/[0-9a-f]{64}$/,
    /^builds\/disks\/cache\//,
  ])
    assert.ok(
      files.some((path) => kind.test(path)),
      String(kind),
    );
  assert.deepEqual(await leakyFiles(server.data), ['admin-token', 'registry-token', 'secret.key']);
  assert.deepEqual(leaks({ log: server.log }), []);
});

test('nothing that the engine tells but the environment of containers holds a secret', async () => {
  const own = ['--filter', `label=coppice.server=${server.serverId}`];
  const texts: Record<string, string> = {};
  for (const { Name, Config, Image, ...others } of await server.containers()) {
    const { Env, ...config } = Config;
    assert.ok(Env.length > 0);
    texts[`container ${Name}`] = JSON.stringify({ Name, config, others });
    texts[`image of ${Name}`] = await mustRun('docker', ['image', 'inspect', Image]);
    texts[`history of ${Name}`] = await mustRun('docker', ['history', '--no-trunc', Image]);
  }
  const networks = lines(await mustRun('docker', ['network', 'ls', '--quiet', ...own]));
  texts['networks'] = await mustRun('docker', ['network', 'inspect', ...networks]);
  const volumes = lines(await mustRun('docker', ['volume', 'ls', '--quiet', ...own]));
  texts['volumes'] = volumes.length === 0 ? '' : await mustRun('docker', ['volume', 'inspect', ...volumes]);
  texts['images'] = await mustRun('docker', ['image', 'ls', '--no-trunc', '--digests']);
  // what was executed in containers is told there too
  texts['events'] = await mustRun('docker', ['events', '--since', '30m', '--until', '0s', ...own]);
  assert.deepEqual([networks.length >= 2, texts['events'].includes('exec_start')], [true, true]);
  assert.deepEqual(leaks(texts), []);
});

test('no command line of any process holds a secret, but those of clients that were given the token', () => {
  // git hands the URL, in which the tests put the token, to its own programs
  const isClient = (line: string): boolean => /^\S*git\b/.test(line) && line.includes(server.remote('vault'));
  const others = [...commands, ...commandLines()].filter((line) => !isClient(line));
  assert.ok(others.some((line) => line.includes('server.mjs')));
  assert.deepEqual(leaks(Object.fromEntries(others.map((line) => [line, line]))), []);
});

test('the key of the secrets and the token lie in files of their own that only the owner reads', () => {
  const modes = readdirSync(server.data)
    .filter((name) => /key|token/.test(name))
    .map((name) => [name, (statSync(join(server.data, name)).mode & 0o777).toString(8)]);
  assert.ok(modes.length >= 2, String(modes));
  for (const [name, mode] of modes) assert.equal(mode, '600', name);
});

/** A row of the database as text, its bytes taken as Latin-1. */
function rowText(row: unknown): string {
  assert.ok(Array.isArray(row));
  return row.map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : String(value))).join('\n');
}

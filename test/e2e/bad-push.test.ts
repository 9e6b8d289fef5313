import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import { commitTree, headEntries, type RawEntry, writeObject, writeTree } from './harness/git-objects.ts';
import { assertNothingHalfDone, assertRefused } from './harness/refused.ts';
import { type Standing, standingOf } from './harness/standing.ts';
import { startTamperingProxy } from './harness/tampering-proxy.ts';
import { type Clone, type PushResult, TestServer } from './harness.ts';

const project = 'site';
const site = `applications:
  site:
    type: static:1
    web: { locations: { "/": { root: public, index: [index.html] } } }
`;
const marker = '/tmp/coppice-branch-name-was-run';

const brokenPacks: readonly { readonly name: string; readonly tamper: (body: Buffer) => Buffer; readonly says: RegExp }[] = [
  {
    name: 'a pack with a flipped byte, as its checksum tells',
    tamper: (body) => flipped(body, body.length - 30),
    says: /SHA1|inflate|corrupt|unpack/,
  },
  {
    name: 'a pack with a flipped byte and a checksum that fits',
    tamper: (body) => {
      const pack = body.indexOf('PACK');
      const content = flipped(body, body.length - 30).subarray(pack, body.length - 20);
      return Buffer.concat([body.subarray(0, pack), content, createHash('sha1').update(content).digest()]);
    },
    says: /inflate|corrupt|unpack/,
  },
  {
    name: 'a truncated pack',
    tamper: (body) => body.subarray(0, body.length - 40),
    says: /early EOF|unpack|hung up/,
  },
];

suite('a push that is refused', () => {
  let server: TestServer;
  let clone: Clone;
  let good: Standing;
  before(async () => {
    server = await TestServer.start();
    clone = await server.project(project);
    await clone.deploy({ 'coppice.yaml': site, 'public/index.html': 'before' });
    good = await standingOf(server, project);
  });
  after(async () => await server.stop());

  const refused = async (push: PushResult, ...says: readonly RegExp[]): Promise<void> =>
    await assertRefused(push, { server, project, before: good, says });
  /** Pushes HEAD's tree with further entries to main. */
  const pushEntries = async (...more: readonly RawEntry[]): Promise<PushResult> => {
    const names = new Set(more.map((entry) => entry.name));
    const entries = [...(await headEntries(clone)).filter((entry) => !names.has(entry.name)), ...more];
    const sorted = entries.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
    return await clone.push(`${await commitTree(clone, await writeTree(clone, sorted))}:refs/heads/main`);
  };
  const link = async (name: string, target: string): Promise<RawEntry> => ({
    mode: '120000',
    name,
    id: await writeObject(clone, 'blob', target),
  });
  const file = async (name: string, content: string): Promise<RawEntry> => ({
    mode: '100644',
    name,
    id: await writeObject(clone, 'blob', content),
  });

  test('a file that is a symbolic link', async () => {
    await refused(
      await pushEntries(await link('coppice.yaml', 'public/index.html')),
      /coppice\.yaml:1:1 {2}coppice\.yaml is a symbolic link, but must be a regular file; commit the file itself/,
    );
    await refused(await pushEntries(await link('coppice.yaml', '/etc/passwd')), /coppice\.yaml is a symbolic link to \/etc\/passwd/);
    await refused(
      await pushEntries(await link('.coppice', 'public')),
      /\.coppice:1:1 {2}\.coppice is a symbolic link, but must be a folder/,
    );
  });

  test('source.root that is a symbolic link, out of the repository or within', async () => {
    const yaml = await file('coppice.yaml', `${site}    source: { root: elsewhere }\n`);
    await refused(
      await pushEntries(yaml, await link('elsewhere', '/etc')),
      /elsewhere is a symbolic link to \/etc, which is an absolute path/,
    );
    await refused(
      await pushEntries(yaml, await link('elsewhere', '../../..')),
      /elsewhere is a symbolic link to \.\.\/\.\.\/\.\., which leaves the repository/,
      /links may lead only to files of the same repository/,
    );
    await refused(await pushEntries(yaml, await link('elsewhere', 'public')), /coppice\.yaml:5:21 .*"elsewhere" is a symbolic link/);
  });

  test('a commit without the file, which shows a minimal one', async () => {
    const entries = (await headEntries(clone)).filter((entry) => entry.name !== 'coppice.yaml');
    const commit = await commitTree(clone, await writeTree(clone, entries));
    const push = await clone.push(`${commit}:refs/heads/main`);
    await refused(push, /the commit has no coppice\.yaml at its root/, /remote: applications:\s*\n/, /remote: {5}type: nodejs:24/);
  });

  test('a commit of nothing', async () => {
    const push = await clone.push(`${await commitTree(clone, await writeTree(clone, []))}:refs/heads/main`);
    await refused(push, /the commit has no coppice\.yaml at its root/);
  });

  test('a submodule', async () => {
    const push = await pushEntries({ mode: '160000', name: 'vendored', id: await clone.git('rev-parse', 'HEAD') });
    await refused(push, /vendored is a submodule; a push must carry all of its source/, /remove it with "git rm --cached"/);
  });

  test('names that differ only in case', async () => {
    await refused(await pushEntries(await file('PUBLIC', 'x')), /PUBLIC.*public|public.*PUBLIC/);
  });

  test('a bomb: a dozen objects that unfold to ten thousand million files', async () => {
    let entry: RawEntry = await file('leaf', 'boom');
    for (let level = 0; level < 10; level += 1) {
      const copies = Array.from({ length: 10 }, (_, at): RawEntry => ({ ...entry, name: `f${at}` }));
      entry = { mode: '40000', name: 'bomb', id: await writeTree(clone, copies) };
    }
    await refused(await pushEntries(entry), /the tree has more than 100000 entries/);
  });

  test('a bomb of depth', async () => {
    let entry: RawEntry = await file('leaf', 'boom');
    for (let level = 0; level < 100; level += 1) entry = { mode: '40000', name: 'deep', id: await writeTree(clone, [entry]) };
    await refused(await pushEntries(entry), /the tree is deeper than 64 folders/);
  });

  test('objects that fsck refuses', async () => {
    const hooks = { mode: '40000', name: '.git', id: await writeTree(clone, [await file('config', '[core]\n')]) };
    await refused(await pushEntries(hooks), /hasDotgit/);
    await refused(await pushEntries(await file('..', 'x')), /hasDotdot/);
    const head = await clone.git('rev-parse', 'HEAD^{tree}');
    const commit = await writeObject(clone, 'commit', `tree ${head}\nauthor nobody\ncommitter nobody\n\nno date\n`);
    await refused(
      await clone.push(`${commit}:refs/heads/main`, { force: true }),
      /missingEmail|missingNameBeforeEmail|badDate|missingSpaceBeforeEmail/,
    );
  });

  test('a tree or a blob as a branch', async () => {
    await refused(await clone.push('HEAD^{tree}:refs/heads/tree'), /a branch must be a commit|trying to write non-commit/);
  });

  for (const { name, tamper, says } of brokenPacks) {
    test(name, async () => {
      const proxy = await startTamperingProxy(server.apiAddress, (body) => (body.includes('PACK') ? tamper(body) : body));
      try {
        await clone.commit({ 'public/index.html': `${name}\n${'some text '.repeat(2000)}` });
        const { code, stdout, stderr } = await clone.tryGit(
          'push',
          server.remote(project).replace(server.apiAddress, proxy.address),
          'HEAD:refs/heads/main',
        );
        await refused({ code, output: `${stdout}${stderr}` }, says);
      } finally {
        await clone.git('reset', '--quiet', '--hard', 'HEAD~1');
        await proxy.close();
      }
    });
  }

  test('a wrong token', async () => {
    const wrong = server.remote(project).replace(server.token, 'wrong');
    const { code, stdout, stderr } = await clone.tryGit('push', wrong, 'HEAD:refs/heads/other');
    await refused({ code, output: `${stdout}${stderr}` }, /Authentication failed/);
  });

  test('a wrong token is told before a byte of the pack is read', async () => {
    const [host, port] = server.apiAddress.split(':');
    const socket = createConnection({ host: host ?? '', port: Number(port) });
    await once(socket, 'connect');
    const credentials = Buffer.from('x:wrong').toString('base64');
    socket.write(
      `POST /git/${project}.git/git-receive-pack HTTP/1.1\r\nhost: ${server.apiAddress}\r\nauthorization: Basic ${credentials}\r\n` +
        'content-type: application/x-git-receive-pack-request\r\ncontent-length: 1073741824\r\n\r\n',
    );
    assert.match(await text(socket), /^HTTP\/1\.1 401 [\s\S]*www-authenticate: Basic realm="Coppice"[\s\S]*a token is needed/i);
    assert.deepEqual(await standingOf(server, project), good);
  });

  test('branches whose name is not what it looks like', async () => {
    const names: readonly (readonly [string, RegExp])[] = [
      ['a\u00a0b', /holds a space or a look-alike of one \(U\+00A0\); choose another name/],
      ['a\u3000b', /U\+3000/],
      ['a\u2800b', /holds an invisible character \(U\+2800\)/],
      ['a\u200bb', /U\+200B/],
      ['a\u202eb', /U\+202E/],
      ['e\u0301t\u00e9', /not in Unicode form NFC/],
      ['-h', /starts with "-"/],
      ['x'.repeat(250), /longer than 244 bytes/],
      ['main/below', /refs\/heads\/main\/below cannot be beside refs\/heads\/main/],
    ];
    for (const [name, says] of names) await refused(await clone.push(`HEAD:refs/heads/${name}`), says);
    await refused(await clone.push('HEAD:refs/custom/x'), /refs\/custom\/x: only branches .* are deployed and tags .* stored/);
  });

  test('one bad branch of two refuses both', async () => {
    await refused(await clone.push(['HEAD:refs/heads/fine', 'HEAD:refs/heads/a\u00a0b']), /U\+00A0/, /\[remote rejected\] HEAD -> fine/);
  });

  test('branches with odd names that are allowed get an environment each, and nothing runs them', async () => {
    const odd = [`$(touch\${IFS}${marker})`, '🚀', 'Feature/A', 'feature-a', 'feature/a', `x${'y'.repeat(239)}`, 'a\'b"c;d|e&f'];
    const push = await clone.push(odd.map((name) => `HEAD:refs/heads/${name}`));
    assert.equal(push.code, 0, push.output);
    const environments = await server.read<readonly { readonly name: string; readonly branch: string }[]>(
      'env',
      'list',
      '--project',
      project,
    );
    assert.deepEqual(environments.map(({ branch }) => branch).toSorted(), [...odd, 'main'].toSorted());
    const labels = environments.map(({ name }) => name);
    assert.equal(new Set(labels).size, labels.length);
    assert.deepEqual(
      labels.filter((label) => !/^[a-z][a-z0-9-]{0,39}$/.test(label)),
      [],
    );
    assert.equal(existsSync(marker), false);
    for (const label of labels) assert.equal((await server.request(`${label}.${project}.localhost`)).body, 'before', label);
    const gone = await clone.push(odd.map((name) => `:refs/heads/${name}`));
    assert.equal(gone.code, 0, gone.output);
    // Their records stay as notes on the commit.
    const withoutNotes = ({ refs, ...rest }: Standing): Standing => ({ ...rest, refs: refs.filter((ref) => !ref.includes('refs/notes/')) });
    assert.deepEqual(withoutNotes(await standingOf(server, project)), withoutNotes(good));
  });

  test('afterwards an empty change touches nothing, and a good push is accepted', async () => {
    await clone.deploy();
    assert.deepEqual((await standingOf(server, project)).containers, good.containers);
    await clone.deploy({ 'public/index.html': 'after' });
    assert.equal((await server.request(`main.${project}.localhost`)).body, 'after');
    await assertNothingHalfDone(server);
  });
});

/** Git sorts folders as if their name ended with a slash. */
function sortKey(entry: RawEntry): string {
  return entry.mode === '40000' ? `${entry.name}/` : entry.name;
}

function flipped(body: Buffer, at: number): Buffer {
  const copy = Buffer.from(body);
  copy.writeUInt8(copy.readUInt8(at) ^ 0xff, at);
  return copy;
}

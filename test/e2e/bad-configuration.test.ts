import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { assertRefused, saidBy } from './harness/refused.ts';
import { type Standing, standingOf } from './harness/standing.ts';
import { type Clone, TestServer } from './harness.ts';

/** One file that is refused, and what is said of it. */
interface BadFile {
  readonly name: string;
  readonly text: string | Uint8Array;
  readonly says: readonly RegExp[];
}

const site = `applications:
  site:
    type: static:1
    web: { locations: { "/": { root: public, index: [index.html] } } }
`;
const web = 'applications:\n  web:\n    type: nodejs:24\n    start: node server.js\n';

const noYaml: readonly BadFile[] = [
  {
    name: 'broken YAML',
    text: 'applications:\n  site: [static:1\n',
    says: [/coppice\.yaml:3:1 {2}a \[ or \{ above is not closed; close it/],
  },
  {
    name: 'a file of nothing',
    text: '',
    says: [/coppice\.yaml:1:1 /],
  },
  {
    name: 'a duplicate key',
    text: `${site}applications:\n  other: static:1\n`,
    says: [/coppice\.yaml:5:1 .*"?applications"?/, /line 1\b/],
  },
  {
    name: 'a bomb of aliases',
    text: `a: &a [x, x, x, x, x, x, x, x, x]\n${[...'bcdefghij'].map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghi'[at]}`).join(', ')}]`).join('\n')}\n`,
    says: [/coppice\.yaml:\d+:\d+ /, /20000|20,000/],
  },
  {
    name: 'a bomb of nested lists',
    text: `applications: ${'['.repeat(100_000)}`,
    says: [/coppice\.yaml:1:\d+ {2}the nesting is deeper than 32/],
  },
  {
    name: 'a bomb of nested maps',
    text: Array.from({ length: 500 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
    says: [/coppice\.yaml:\d+:\d+ {2}the nesting is deeper than 32/],
  },
  {
    name: 'a tab that indents',
    text: 'applications:\n\tsite: static:1\n',
    says: [/coppice\.yaml:2:1 {2}a tab may not indent; indent with spaces/],
  },
  {
    name: 'a directive %YAML 1.1',
    text: `%YAML 1.1\n---\n${site}`,
    says: [/coppice\.yaml:1:1 {2}directives such as %YAML or %TAG are not read; remove the line/],
  },
  {
    name: 'several documents',
    text: `${site}---\n${site}`,
    says: [/coppice\.yaml:5:1 {2}the file holds several documents; remove the line "---"/],
  },
  {
    name: 'a tag',
    text: 'applications:\n  site: !!js/function "process.exit()"\n',
    says: [/coppice\.yaml:2:9 {2}tags such as .* are not read; remove the tag/],
  },
  {
    name: 'a merge key',
    text: `common: &c { type: static:1 }\napplications:\n  site:\n    <<: *c\n`,
    says: [/coppice\.yaml:4:5 .*<</],
  },
  {
    name: 'an alias to nothing',
    text: 'applications:\n  site: *there\n',
    says: [/coppice\.yaml:2:9 .*there/],
  },
  {
    name: 'the key __proto__',
    text: `${site}  __proto__: static:1\n`,
    says: [/coppice\.yaml:5:3 .*__proto__/],
  },
  {
    name: 'bytes that are no UTF-8',
    text: Buffer.concat([Buffer.from(`${site}# `), Buffer.from([0xff, 0xfe, 0x80])]),
    says: [/coppice\.yaml:5:3 .*UTF-8/],
  },
  {
    name: 'a file of 10 MB',
    text: `${site}${`# ${'x'.repeat(97)}\n`.repeat(100_000)}`,
    says: [/coppice\.yaml:1:1 .*1000\d{4} bytes.*256 KiB/],
  },
  {
    name: '15,000 keys, each twice',
    text: `variables:\n${Array.from({ length: 15_000 }, (_, at) => `  k${at % 7_500}: 1\n`).join('')}`,
    says: [/coppice\.yaml:7502:3 .*k0/, /… and \d+ more/],
  },
];

const wrongWords: readonly BadFile[] = [
  {
    name: 'an unknown key, with the nearest that is there',
    text: web.replace('start:', 'strat:'),
    says: [/coppice\.yaml:4:5 .*"?strat"?.*did you mean "?start"?/],
  },
  {
    name: 'an unknown section',
    text: `${site}servces:\n  db: redis:7\n`,
    says: [/coppice\.yaml:5:1 .*"?servces"?.*did you mean "?services"?/],
  },
  {
    name: 'an unknown type, with those that are there',
    text: 'applications:\n  site: nodjs:24\n',
    says: [/coppice\.yaml:2:9 .*nodjs.*nodejs/],
  },
  {
    name: 'an unknown version, with those that are there',
    text: `${site}services:\n  db: postgresql:9.6\n`,
    says: [/coppice\.yaml:6:7 .*9\.6.*13.*15.*17/],
  },
  {
    name: 'a service where an application belongs',
    text: 'applications:\n  db: { type: postgresql:15 }\n',
    says: [/coppice\.yaml:2:15 .*postgresql.*services/],
  },
  {
    name: 'a list where a map belongs',
    text: 'applications: [static:1]\n',
    says: [/coppice\.yaml:1:15 .*applications.*map/],
  },
  {
    name: 'a size that is none',
    text: `${site}    resources: { memory: lots }\n`,
    says: [/coppice\.yaml:5:\d+ .*memory.*256M/],
  },
  {
    name: 'more memory than there can be',
    text: `${site}    resources: { memory: 900T }\n`,
    says: [/coppice\.yaml:5:\d+ .*900T.*from .* to /],
  },
  {
    name: 'thirty mistakes: twenty are told, in their order',
    text: `${site}${Array.from({ length: 30 }, (_, at) => `    wrong${at}: 1\n`).join('')}`,
    says: [/coppice\.yaml:5:5 .*wrong0/, /… and 11 more/],
  },
];

const wrongGraphs: readonly BadFile[] = [
  {
    name: 'a relationship to itself',
    text: `${web}    relationships: [web]\n`,
    says: [/coppice\.yaml:5:21 .*web has a relationship to itself; remove it/],
  },
  {
    name: 'a relationship to nothing, with the nearest name',
    text: `${web}    relationships: [databse]\nservices:\n  database: postgresql:15\n`,
    says: [/coppice\.yaml:5:21 .*"databse".*did you mean "database"/],
  },
  {
    name: 'relationships in a ring',
    text: ['a', 'b', 'c']
      .map((name, at) => `  ${name}: { type: nodejs:24, start: node ${name}.js, relationships: [${'bca'[at]}] }\n`)
      .join('')
      .replace(/^/, 'applications:\n')
      .concat('routes:\n  "http://{default}/": { type: upstream, upstream: "a:http" }\n'),
    says: [/coppice\.yaml:4:\d+ .*ring: a → b → c → a/],
  },
  {
    name: 'two routes for one host',
    text: `${site}routes:\n  "http://{default}/": { type: upstream, upstream: "site:http" }\n  "http://{default}": { type: upstream, upstream: "site:http" }\n`,
    says: [/coppice\.yaml:7:3 .*same host and path/],
  },
  {
    name: 'a route to nothing',
    text: `${site}routes:\n  "http://{default}/": { type: upstream, upstream: "sit:http" }\n`,
    says: [/coppice\.yaml:6:\d+ .*sit.*site/],
  },
  {
    name: 'source.root above the repository',
    text: `${site}    source: { root: ../.. }\n`,
    says: [/coppice\.yaml:5:21 .*"\.\.\/\.\."/],
  },
  {
    name: 'source.root as an absolute path',
    text: `${site}    source: { root: /etc }\n`,
    says: [/coppice\.yaml:5:21 .*"\/etc"/],
  },
  {
    name: 'source.root that the commit does not have',
    text: `${site}    source: { root: nowhere }\n`,
    says: [/coppice\.yaml:5:21 .*"nowhere"/],
  },
];

suite('a file that is refused', () => {
  let server: TestServer;
  let clone: Clone;
  let standing: Standing;
  before(async () => {
    server = await TestServer.start();
    clone = await server.project('bad');
    await clone.deploy({ 'coppice.yaml': site, 'public/index.html': 'before' });
    standing = await standingOf(server, 'bad');
  });
  after(async () => await server.stop());

  for (const { name, text, says } of [...noYaml, ...wrongWords, ...wrongGraphs]) {
    test(`${name} is refused at its place, and nothing is touched`, async () => {
      await clone.commit({ 'coppice.yaml': text });
      const startedMs = performance.now();
      const push = await clone.push();
      const tookMs = performance.now() - startedMs;
      await clone.git('reset', '--quiet', '--hard', 'HEAD~1');
      await assertRefused(push, { server, project: 'bad', before: standing, says: [...says, /\[remote rejected\] HEAD -> main/] });
      assert.ok(saidBy(push).filter((line) => /coppice\.yaml:\d/.test(line)).length <= 20, push.output);
      assert.ok(tookMs < 10_000, `refusing it took ${Math.round(tookMs)} ms`);
    });
  }

  test('afterwards the environment serves as before, and a good push is accepted', async () => {
    assert.equal((await server.request('main.bad.localhost')).body, 'before');
    await clone.deploy({ 'public/index.html': 'after' });
    assert.equal((await server.request('main.bad.localhost')).body, 'after');
  });
});

import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { assertNothingHalfDone } from './harness/refused.ts';
import { standingOf } from './harness/standing.ts';
import { type Clone, TestServer } from './harness.ts';

/** One application that cannot be deployed, and what is said of it. */
interface BadApplication {
  readonly name: string;
  /** Lines of the application in the file. */
  readonly lines: string;
  readonly says: readonly RegExp[];
}

const site = `applications:
  site:
    type: static:1
    web: { locations: { "/": { root: public, index: [index.html] } } }
`;

const builds: readonly BadApplication[] = [
  {
    name: 'a build that fails',
    lines: '    build: [ "echo about to fail; mkdir public/made; ls nowhere", "echo never" ]\n',
    says: [/build step 1 \(echo about to fail; .*\) failed with exit code 2/, /about to fail/, /nowhere.*No such file/],
  },
  {
    name: 'a build whose second step fails',
    lines: '    build: [ "echo one", "exit 7" ]\n',
    says: [/build step 2 \(exit 7\) failed with exit code 7/],
  },
  {
    name: 'a build that hangs',
    lines: '    build: [ "echo hanging; sleep 1000" ]\n',
    says: [/build step 1 \(echo hanging; sleep 1000\) took longer than 30 s/, /hanging/, /COPPICE_BUILD_TIMEOUT/],
  },
  {
    name: 'a build that writes 10 GB',
    lines: '    build: [ "dd if=/dev/zero of=large bs=1M count=10240" ]\n',
    says: [/build step 1 \(dd .*\) wrote more than the 256 MiB of disk that a build/, /COPPICE_BUILD_DISK/],
  },
  {
    name: 'a build that forks without end',
    lines: '    build: [ "while true; do sleep 1000 & done" ]\n',
    says: [
      /build step 1 \(while .*\) failed with exit code 2; a build may have at most 128 processes/,
      /Cannot fork/,
      /COPPICE_BUILD_PROCESSES/,
    ],
  },
  {
    name: 'a build that prints 100 MB',
    lines:
      '    build: [ "yes this line is printed very often, and it is rather long as lines of builds that have gone astray go | head -c 100000000" ]\n',
    says: [/more output than 1 MiB: the rest is not shown|\d+ lines left out/, /printed more than 67108864 bytes/, /COPPICE_BUILD_OUTPUT/],
  },
];

const starts: readonly BadApplication[] = [
  {
    name: 'a start command that exits 0 at once',
    lines: '    start: "echo done already"\n',
    says: [/site ended with exit code 0 before it was ready; its last output:/, /done already/],
  },
  {
    name: 'a start command that is not there',
    lines: '    start: "./missing --now"\n',
    says: [/site ended with exit code 127 before it was ready/, /missing.*not found/],
  },
  {
    name: 'an image that never becomes ready',
    lines: '    start: "echo waiting for nothing; exec sleep 1000"\n',
    says: [/site did not become ready within 60 s: .*8080/, /waiting for nothing/],
  },
  {
    name: 'a deploy hook that fails',
    lines: '    hooks: { deploy: "echo migrating; exit 3" }\n',
    says: [/deploy.*exit code 3/, /migrating/],
  },
];

const limits = {
  COPPICE_BUILD_TIMEOUT: '30s',
  COPPICE_BUILD_DISK: '256M',
  COPPICE_BUILD_PROCESSES: '128',
};

suite('an application that cannot be deployed', () => {
  let server: TestServer;
  before(async () => {
    server = await TestServer.start({ variables: limits });
  });
  after(async () => await server.stop());

  /** Each has a project of its own, since they run at once. */
  const served = async (project: string): Promise<Clone> => {
    const clone = await server.project(project);
    await clone.deploy({ 'coppice.yaml': site, 'public/index.html': 'before' });
    return clone;
  };

  suite('is refused', { concurrency: 3 }, () => {
    for (const [index, { name, lines, says }] of [...builds, ...starts].entries()) {
      test(`${name}: the branch serves as before, a new branch leaves nothing, and a good push is accepted`, async () => {
        const project = `bad-${index}`;
        const clone = await served(project);
        const good = await standingOf(server, project);
        await clone.commit({ 'coppice.yaml': `${site}${lines}`, 'public/index.html': 'never' });
        const push = await clone.push(['HEAD:refs/heads/main', 'HEAD:refs/heads/fresh']);
        assert.notEqual(push.code, 0, shortened(push.output));
        const rejected = [/\[remote rejected\] HEAD -> main/, /\[remote rejected\] HEAD -> fresh/];
        for (const words of [...says, ...rejected]) {
          assert.ok(words.test(push.output), `${words} is not in:\n${shortened(push.output)}`);
        }
        assert.deepEqual(await standingOf(server, project), good, shortened(push.output));
        assert.equal((await server.request(`main.${project}.localhost`)).body, 'before');
        await clone.deploy({ 'coppice.yaml': site, 'public/index.html': 'after' });
        assert.equal((await server.request(`main.${project}.localhost`)).body, 'after');
      });
    }
  });

  test('afterwards nothing is half done', async () => {
    await assertNothingHalfDone(server);
  });
});

/** The beginning and the end: some of these print megabytes. */
function shortened(output: string): string {
  return output.length <= 8000 ? output : `${output.slice(0, 4000)}\n…\n${output.slice(-4000)}`;
}

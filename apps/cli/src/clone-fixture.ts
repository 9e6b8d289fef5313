import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

/** For tests: a repository of the real git client, which sees no settings of whoever runs the tests. */
export interface CloneFixture {
  readonly folder: string;
  /** Runs git in it; throws where it fails. Its output, trimmed. */
  git(...args: readonly string[]): string;
  write(files: Readonly<Record<string, string>>): void;
  /** An empty commit on HEAD; its id. */
  commit(message: string): string;
}

/** For tests: an empty folder, gone when the test ends. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-cli-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** For tests: a repository without a commit, on branch `main`, with these remotes by name. */
export function cloneFixture(t: TestContext, remotes: Readonly<Record<string, string>> = {}): CloneFixture {
  const folder = join(temporaryFolder(t), 'clone');
  mkdirSync(folder);
  const git = (...args: readonly string[]): string => execFileSync('git', args, { cwd: folder, env, encoding: 'utf8' }).trim();
  git('init', '--quiet', '--initial-branch=main');
  for (const [name, url] of Object.entries(remotes)) git('remote', 'add', name, url);
  return {
    folder,
    git,
    write: (files) => {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
    },
    commit: (message) => {
      git('commit', '--quiet', '--allow-empty', '--message', message);
      return git('rev-parse', 'HEAD');
    },
  };
}

const env: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Tester',
  GIT_AUTHOR_EMAIL: 'tester@example.com',
  GIT_COMMITTER_NAME: 'Tester',
  GIT_COMMITTER_EMAIL: 'tester@example.com',
  LC_ALL: 'C.UTF-8',
};

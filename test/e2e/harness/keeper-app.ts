import assert from 'node:assert/strict';
import type { TestServer } from '../harness.ts';
import type { FileTexts } from './clone.ts';
import { tinyApp } from './tiny-app.ts';

/** What surrounds the application in its file. */
export interface KeeperApp {
  /** The application's name; `web` where missing. */
  readonly name?: string;
  /** Whether it has the mount that it keeps its text in; true where missing. */
  readonly mounts?: boolean;
  /** Where that lies: on `instance` it is alone with it; `storage` where missing. */
  readonly source?: 'storage' | 'instance';
  /** What starts it, `node server.mjs` where missing. */
  readonly start?: string;
  /** Further lines of the application, indented by four. */
  readonly more?: string;
  /** Further keys of the file. */
  readonly top?: string;
}

/** An application that keeps one text in a file; `scrub.mjs` replaces it by `scrubbed`. */
export function keeper({
  name = 'web',
  mounts = true,
  source = 'storage',
  start = 'node server.mjs',
  more = '',
  top = '',
}: KeeperApp = {}): FileTexts {
  const yaml = `applications:
  ${name}:
    type: nodejs:24
    start: ${start}
${mounts ? `    mounts: { kept: ${source} }\n` : ''}${more}${top}`;
  const paths = {
    '/write': `writeFileSync('kept/text', new URL(request.url, 'http://app').searchParams.get('text')); response.end('written');`,
    '/read': `response.end(existsSync('kept/text') ? readFileSync('kept/text', 'utf8') : 'nothing');`,
  };
  const before = "import { existsSync, readFileSync, writeFileSync } from 'node:fs';";
  const scrub = "import { writeFileSync } from 'node:fs';\nwriteFileSync('kept/text', 'scrubbed');\n";
  return { ...tinyApp({ yaml, before, paths }), 'scrub.mjs': scrub };
}

/** The text that it keeps, or `nothing`. */
export async function readKept(server: TestServer, host: string): Promise<string> {
  return (await server.request(host, '/read')).body;
}

export async function writeKept(server: TestServer, host: string, text: string): Promise<void> {
  assert.equal((await server.request(host, `/write?text=${text}`)).body, 'written');
}

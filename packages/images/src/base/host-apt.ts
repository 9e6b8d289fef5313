import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BaseRecipe } from '@coppice/catalog';
import { debianMirror, sourcesList } from './apt-sources.ts';
import { runTool } from './run-tool.ts';

// How this machine reaches mirrors; nothing else of its settings (hooks, pins) may reach a base.
const inherited = /^Acquire::(?:http|https|ftp|ForceIPv4|ForceIPv6|Retries|Check-Valid-Until|Check-Date)\b/i;

/** `sources.list` for a release as this machine reaches Debian, or undefined where its own sources do not name a Debian mirror. */
export async function hostSourcesList(release: BaseRecipe['debian'], etcApt = '/etc/apt'): Promise<string | undefined> {
  const names = (await readdir(join(etcApt, 'sources.list.d')).catch(() => [])).sort();
  const paths = [join(etcApt, 'sources.list'), ...names.map((name) => join(etcApt, 'sources.list.d', name))];
  const files = await Promise.all(paths.map(async (name) => ({ name, text: await readFile(name, 'utf8').catch(() => '') })));
  const mirror = debianMirror(files.filter((file) => /\.(?:list|sources)$/.test(file.name)));
  return mirror === undefined ? undefined : sourcesList(mirror, release);
}

/** The machine's own settings for reaching mirrors (proxies, time-outs), as lines of an apt configuration file. */
export async function hostAcquireSettings(): Promise<string> {
  const dump = await runTool({ argv: ['apt-config', 'dump'], environment: hostEnvironment(), purpose: "reading the host's apt settings" });
  const lines = dump.split('\n').filter((line) => inherited.test(line));
  return lines.map((line) => `${line}\n`).join('');
}

/** This process's environment for programs of the host: proxies and certificates included, settings of other programs not. */
export function hostEnvironment(): Record<string, string> {
  const passed = /^(?:PATH|HOME|TMPDIR|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR|npm_config_.*|(?:https?|ftp|no|all)_proxy)$/i;
  const entries = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined && passed.test(entry[0]));
  return { ...Object.fromEntries(entries), LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' };
}

import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { loadCatalog, type ResolvedType } from '@coppice/catalog';
import { sha256 } from '@coppice/model';
import { pack } from 'tar-stream';
import { filesLayer } from '../../layer/files-layer.ts';
import { packLayer } from '../../layer/pack-layer.ts';
import type { BaseLayers } from '../base-layers.ts';
import { buildBase } from '../build-base.ts';

const catalog = loadCatalog();

/** The type at that version; throws where the catalog has none. */
export function typeOf(name: string, version: string): ResolvedType {
  const type = catalog.resolve({ name, version }, 'exact');
  if (!('base' in type)) throw new Error(type.message);
  return type;
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the engine's own command line. */
export async function docker(argv: readonly string[], input: string | Readable = ''): Promise<Finished> {
  const child = spawn('docker', argv, { stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const [code] = await Promise.all([
    new Promise<number | null>((resolve) => child.on('close', resolve)),
    // A command that does not read its input to the end is no failure of the test.
    pipeline(typeof input === 'string' ? Readable.from([input]) : input, child.stdin).catch(() => undefined),
  ]);
  return { code, stdout, stderr };
}

/** The type's base and files as an image of the engine, under a name of its own. */
export async function loadImage(
  type: ResolvedType,
  extraFiles: Readonly<Record<string, string>> = {},
): Promise<{ name: string; base: BaseLayers }> {
  const base = await buildBase({ recipe: type.base });
  const extra = Object.fromEntries(Object.entries(extraFiles).map(([path, content]) => [path, { content, executable: false }]));
  const chunks: Uint8Array[] = [];
  for await (const chunk of packLayer(filesLayer({ ...type.files, ...extra }))) chunks.push(chunk);
  const files = Buffer.concat(chunks);
  const name = `coppice-base-test/${type.name}:${type.version}-${process.pid}`;
  const diffIds = [...base.layers.map((layer) => layer.digest), sha256(files)];
  const config = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
  const archive = pack();
  const loaded = docker(['load', '--quiet'], Readable.from(archive));
  for (const [index, layer] of base.layers.entries()) {
    const entry = archive.entry({ name: `${index}.tar`, size: layer.size });
    await pipeline(createReadStream(layer.path), entry);
  }
  archive.entry({ name: 'files.tar' }, files);
  archive.entry({ name: 'config.json' }, JSON.stringify(config));
  const layers = [...base.layers.map((_, index) => `${index}.tar`), 'files.tar'];
  archive.entry({ name: 'manifest.json' }, JSON.stringify([{ Config: 'config.json', RepoTags: [name], Layers: layers }]));
  archive.finalize();
  const { code, stderr } = await loaded;
  if (code !== 0) throw new Error(`docker load: ${stderr}`);
  return { name, base };
}

export interface TestContainer {
  readonly id: string;
  address(): Promise<string>;
  start(): Promise<void>;
  /** Stops as the type says; resolves with the milliseconds it took and its exit code. */
  stop(): Promise<{ readonly ms: number; readonly exitCode: number }>;
  exec(argv: readonly string[], input?: string, variables?: Readonly<Record<string, string>>): Promise<Finished>;
  provision(lines: readonly string[]): Promise<Finished>;
  logs(): Promise<string>;
  /** First bytes of the readiness probe's answer, or why there is none. */
  probe(): Promise<string>;
  remove(): Promise<void>;
}

/** A container of the image as the platform runs it: no capability, nothing writable but volumes and tmpfs, no secret. */
export async function runContainer(
  image: string,
  type: ResolvedType,
  options: { readonly argv?: readonly string[]; readonly memory?: string } = {},
): Promise<TestContainer> {
  const volumes = await mkdtemp(join(tmpdir(), 'coppice-base-'));
  const { uid, gid } = type.user;
  await chown(volumes, uid, gid);
  const created = await docker([
    ...['create', '--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges', `--user=${uid}:${gid}`, '--label=coppice-base-test'],
    ...[
      `--workdir=${type.workingDirectory}`,
      `--stop-signal=${type.stop.signal}`,
      `--memory=${options.memory ?? type.resources.memoryBytes}`,
    ],
    ...type.tmpfs.map((path) => `--tmpfs=${path}:rw,exec,nosuid,nodev,mode=1777`),
    ...type.mounts.map((mount) => `--volume=${volumes}:${mount.target}`),
    ...Object.entries(type.variables).map(([name, value]) => `--env=${name}=${value}`),
    ...type.capabilities.map((capability) => `--cap-add=${capability}`),
    image,
    ...(options.argv ?? type.argv ?? []),
  ]);
  if (created.code !== 0) throw new Error(created.stderr);
  const id = created.stdout.trim();
  const exec: TestContainer['exec'] = (argv, input = '', variables = {}) =>
    docker(['exec', '--interactive', ...Object.entries(variables).map(([name, value]) => `--env=${name}=${value}`), id, ...argv], input);
  const inspect = async (format: string) => (await docker(['inspect', `--format=${format}`, id])).stdout.trim();
  const address = () => inspect('{{.NetworkSettings.IPAddress}}');
  return {
    id,
    address,
    exec,
    start: async () => {
      const started = await docker(['start', id]);
      if (started.code !== 0) throw new Error(started.stderr);
    },
    stop: async () => {
      const began = performance.now();
      await docker(['stop', `--time=${type.stop.graceMs / 1000}`, id]);
      return { ms: performance.now() - began, exitCode: Number(await inspect('{{.State.ExitCode}}')) };
    },
    provision: (lines) => exec(type.provision?.argv ?? [], lines.map((line) => `${line}\n`).join('')),
    logs: async () => {
      const { stdout, stderr } = await docker(['logs', id]);
      return stdout + stderr;
    },
    probe: async () => exchange(await address(), type),
    remove: async () => {
      await docker(['rm', '--force', id]);
      await rm(volumes, { recursive: true, force: true });
    },
  };
}

function exchange(host: string, type: ResolvedType): Promise<string> {
  const { probe } = type.readiness;
  if (probe.kind !== 'exchange') throw new Error('no exchange probe');
  return new Promise((resolve) => {
    const socket = connect({ host, port: probe.port, timeout: 2000 }, () => socket.write(probe.send, 'latin1'));
    const end = (answer: string) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (chunk) => end(chunk.toString('latin1')));
    socket.once('error', (error) => end(error.message));
    socket.once('timeout', () => end('timeout'));
    socket.once('close', () => end('closed'));
  });
}

/** Whether the probe's answer is one of those the type expects. */
export function isReadyAnswer(type: ResolvedType, answer: string): boolean {
  return type.readiness.probe.kind === 'exchange' && type.readiness.probe.expect.some((expected) => answer.startsWith(expected));
}

/** Resolves once `condition` does with true; throws after ten seconds with what it was waiting for. */
export async function eventually(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

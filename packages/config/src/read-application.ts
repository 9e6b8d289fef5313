import type { ApplicationNode, Resources, SourcePosition, TopologyMount, WorkerNode } from '@coppice/model';
import { readDuration } from './amounts.ts';
import { type Cursor, child, entries, keyAt, scalarText, valueAt } from './cursor.ts';
import type { DeclaredNode } from './declared-nodes.ts';
import { parseNodeName } from './declared-nodes.ts';
import { insidePath } from './inside-path.ts';
import { quote } from './quote.ts';
import type { RawApplication, RawCommands, RawRunning, RawWorker } from './raw-file.ts';
import { readBuild, scriptOf } from './read-build.ts';
import { readCrons } from './read-crons.ts';
import { readFirewall } from './read-firewall.ts';
import { readHealthcheck } from './read-healthcheck.ts';
import { readMounts } from './read-mounts.ts';
import { type PlacedRelationship, readRelationships, withoutPosition } from './read-relationships.ts';
import { readSizes } from './read-resources.ts';
import { readVariables } from './read-variables.ts';
import { readWeb } from './read-web.ts';
import type { Reading } from './reading.ts';

const graceBounds = { least: '0s', most: '1h' };

/** What applications and workers share, with the relationships' positions for the check of rings. */
interface Running {
  readonly relationships: readonly PlacedRelationship[];
  readonly mounts: readonly TopologyMount[];
  readonly variables: Readonly<Record<string, string>>;
  readonly resources: Partial<Resources>;
  readonly firewall: ApplicationNode['firewall'];
  readonly stopGraceMs: number | undefined;
}

/** An application, its workers, and what each of them needs, by name. */
export interface ReadApplication {
  readonly nodes: readonly (ApplicationNode | WorkerNode)[];
  readonly needs: ReadonlyMap<string, readonly PlacedRelationship[]>;
}

/** Reads one application with its workers. */
export function readApplication(application: Cursor<RawApplication>, declared: DeclaredNode, reading: Reading): ReadApplication {
  const { report } = reading;
  const running = readRunning(declared.name, application, undefined, reading);
  const web = child(application, 'web');
  const start = child(application, 'start');
  const commands = web && child(web, 'commands');
  const hooks = application.value.hooks;
  const typeName = declared.origin?.entry?.name;
  const instances = application.value.instances ?? 1;
  checkStart(application, { start, commands, declared }, reading);
  checkExclusive(application, running.mounts, instances, reading);
  const node: ApplicationNode = {
    kind: 'application',
    name: declared.name,
    origin: declared.origin?.origin ?? { kind: 'image', reference: '' },
    sourceRoot: readSourceRoot(application, reading),
    build: readBuild(application, report),
    dependencies: readDependencies(application),
    hooks: { build: scriptOf(hooks?.build), deploy: scriptOf(hooks?.deploy), postDeploy: scriptOf(hooks?.post_deploy) },
    ...commandsOf(start, commands),
    ...running,
    relationships: running.relationships.map(withoutPosition),
    instances,
    healthcheck: readHealthcheck(child(application, 'healthcheck'), report),
    web: readWeb(application, declared.origin === undefined ? undefined : (typeName ?? ''), report),
    crons: readCrons(child(application, 'crons'), report),
    access: application.value.access ?? {},
    movedFrom: application.value.moved && parseNodeName(application.value.moved.from),
  };
  const needs = new Map([[declared.name as string, running.relationships]]);
  const workers = entries(child(application, 'workers')).flatMap((worker) => readWorker(worker, { declared, running }, reading) ?? []);
  return { nodes: [node, ...workers], needs };
}

interface WorkerContext {
  readonly declared: DeclaredNode;
  readonly running: Running;
}

function readWorker(worker: Cursor<RawWorker>, application: WorkerContext, reading: Reading): WorkerNode | undefined {
  const declared = reading.nodes.get(`${application.declared.name}--${worker.name}`);
  if (declared === undefined) return undefined;
  // A volume that one instance may hold stays with the application.
  const inherited = { ...application.running, mounts: application.running.mounts.filter((mount) => !mount.exclusive) };
  const running = readRunning(declared.name, worker, inherited, reading);
  const start = child(worker, 'start');
  const commands = child(worker, 'commands');
  const instances = worker.value.instances ?? 1;
  checkExclusive(worker, running.mounts, instances, reading);
  if (start === undefined && commands?.value.start === undefined) {
    const message = `${worker.name}: a worker needs a command to run`;
    reading.report.error({ code: 'missing-start', at: keyAt(worker), message, hint: 'write start: node worker.js, say' });
  }
  checkOneStart(start, commands, reading);
  return {
    kind: 'worker',
    name: declared.name,
    application: application.declared.name,
    ...commandsOf(start, commands),
    ...running,
    relationships: running.relationships.map(withoutPosition),
    instances,
    healthcheck: readHealthcheck(child(worker, 'healthcheck'), reading.report),
  };
}

function readRunning(name: string, cursor: Cursor<RawRunning>, inherited: Running | undefined, reading: Reading): Running {
  const { report } = reading;
  const relationships = child(cursor, 'relationships');
  const mounts = child(cursor, 'mounts');
  const variables = child(cursor, 'variables');
  const firewall = child(cursor, 'firewall');
  const resources = readSizes(cursor, report);
  const saysSize = cursor.value.resources !== undefined || cursor.value.size !== undefined || cursor.value.disk !== undefined;
  return {
    relationships: relationships === undefined && inherited ? inherited.relationships : readRelationships(name, relationships, reading),
    mounts: mounts === undefined && inherited ? inherited.mounts : readMounts(mounts, report),
    variables: variables === undefined && inherited ? inherited.variables : readVariables(variables, report),
    resources: saysSize || inherited === undefined ? resources : inherited.resources,
    firewall: firewall === undefined && inherited ? inherited.firewall : readFirewall(firewall, report),
    stopGraceMs: readDuration(child(cursor, 'stop_grace'), graceBounds, report) ?? inherited?.stopGraceMs,
  };
}

function commandsOf(start: Cursor<string> | undefined, commands: Cursor<RawCommands> | undefined) {
  return {
    start: start?.value ?? commands?.value.start,
    preStart: commands?.value.pre_start,
    postStart: commands?.value.post_start,
  };
}

interface StartContext {
  readonly start: Cursor<string> | undefined;
  readonly commands: Cursor<RawCommands> | undefined;
  readonly declared: DeclaredNode;
}

function checkStart(application: Cursor<RawApplication>, context: StartContext, reading: Reading): void {
  const { start, commands, declared } = context;
  checkOneStart(start, commands, reading);
  const origin = declared.origin;
  const isOptional = origin === undefined || origin.origin.kind === 'image' || origin.entry?.startOptional === true;
  if (isOptional || start !== undefined || commands?.value.start !== undefined) return;
  const message = `${application.name}: "start" is missing, and ${origin.entry?.name ?? 'the type'} has no default`;
  reading.report.error({
    code: 'missing-start',
    at: keyAt(application),
    message,
    hint: 'write start: and the command that listens on $PORT',
  });
}

function checkOneStart(start: Cursor<string> | undefined, commands: Cursor<RawCommands> | undefined, reading: Reading): void {
  if (start === undefined || commands?.value.start === undefined) return;
  const message = 'start: the command is given twice, here and under commands';
  reading.report.error({ code: 'invalid-value', at: keyAt(start), message, hint: 'remove one of them' });
}

function checkExclusive(node: Cursor<RawRunning>, mounts: readonly TopologyMount[], instances: number, reading: Reading): void {
  const held = mounts.find((mount) => mount.exclusive);
  if (instances <= 1 || held === undefined) return;
  const at: SourcePosition = child(node, 'instances')?.place.value ?? keyAt(node);
  exclusiveError(held, instances, at, reading);
}

/** Reports a mount that one instance may hold where there shall be several. */
export function exclusiveError(mount: TopologyMount, instances: number, at: SourcePosition, reading: Reading): void {
  const message = `instances: ${instances} cannot share the mount ${quote(mount.path)}, which one instance holds at a time`;
  reading.report.error({ code: 'exclusive-mount', at, message, hint: 'use one instance, or the source storage' });
}

function readSourceRoot(application: Cursor<RawApplication>, reading: Reading): string {
  const source = child(application, 'source');
  const root = source && child(source, 'root');
  if (root === undefined || root.value === '/') return '.';
  const path = insidePath(root.value);
  if (path !== undefined) {
    reading.report.needsFolder({ path, at: valueAt(root) });
    return path;
  }
  const message = `root: ${quote(root.value)} leads out of the repository`;
  reading.report.error({ code: 'invalid-path', at: valueAt(root), message, hint: 'write a folder relative to the root of the repository' });
  return '.';
}

function readDependencies(application: Cursor<RawApplication>): ApplicationNode['dependencies'] {
  const managers = entries(child(application, 'dependencies'));
  return Object.fromEntries(
    managers.map((manager) => [manager.name, Object.fromEntries(entries(manager).map((each) => [each.name, scalarText(each)]))]),
  );
}

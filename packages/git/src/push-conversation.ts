import type { Duplex } from 'node:stream';
import { CoppiceError, isCoppiceError } from '@coppice/model';
import { ByteReader } from './byte-reader.ts';
import { type ObjectProcess, SwitchedSource } from './object-process.ts';
import type { GitRepositories } from './open-repositories.ts';
import { flushPacket, packet, readPackets } from './pkt-line.ts';
import { errorLines, progressLines, reasonLine } from './progress-text.ts';
import { type PushAnnouncement, parseUpdate, readAnnouncement } from './push-announcement.ts';
import type { PushContext, PushHandler, RefResult, RefUpdate } from './receiver.ts';
import { updateProblems } from './update-rules.ts';

/** One push, as the server sees it through the hooks. */
export interface Conversation {
  readonly repositories: GitRepositories;
  readonly handler: PushHandler;
  /** The project's id. */
  readonly project: string;
  readonly actor: string;
  readonly signal: AbortSignal;
  /** Descriptor 3 of the hooks, both ways. */
  readonly control: Duplex;
  /** Called right before `deploy`: from here on the push goes on without its client. */
  readonly onDeploying: () => void;
}

const maxTalkBytes = 4 * 1024 * 1024;
const maxWaitingBytes = 1024 * 1024;

/**
 * Speaks with the hooks of one receive-pack until they are done. Every failure on the way refuses the push: the hooks see the end of
 * their descriptors, or a refusal. Resolves with whether the push was deployed, or had nothing to deploy.
 */
export async function converse(conversation: Conversation): Promise<'deployed' | 'not deployed'> {
  const { control } = conversation;
  const reader = new ByteReader(control, maxTalkBytes);
  try {
    const outcome = await talk(conversation, reader);
    control.end();
    await reader.drain();
    return outcome;
  } catch (error) {
    // a hook that is still writing must not wait for us
    control.destroy();
    throw error;
  }
}

async function talk(conversation: Conversation, reader: ByteReader): Promise<'deployed' | 'not deployed'> {
  const { control, repositories, project } = conversation;
  const objects = new SwitchedSource(repositories.source(project));
  await expectHook(reader, 'pre-receive');
  const announcement = await readAnnouncement(reader);
  const quarantine = openQuarantine(conversation, announcement, objects);
  try {
    const push = pushContext(conversation, announcement, objects);
    if (!(await prepare(conversation, push, objects))) {
      control.write('refuse\n');
      return 'not deployed';
    }
    control.write('accept\n');
    if (!push.updates.some(isBranch)) return 'deployed';
    await expectHook(reader, 'proc-receive');
    objects.switchTo(repositories.source(project));
    return await procReceive(conversation, push, reader);
  } finally {
    quarantine?.close();
  }
}

function openQuarantine(conversation: Conversation, announcement: PushAnnouncement, objects: SwitchedSource): ObjectProcess | undefined {
  if (Object.keys(announcement.quarantine).length === 0) return undefined;
  const process = conversation.repositories.startReader(conversation.project, announcement.quarantine);
  objects.switchTo(process);
  return process;
}

async function prepare(conversation: Conversation, push: PushContext, source: SwitchedSource): Promise<boolean> {
  const { repositories, handler, project } = conversation;
  const refuse = (lines: readonly string[]): false => {
    for (const line of lines) push.say(line);
    return false;
  };
  try {
    if (push.updates.length === 0) return refuse(['nothing to update']);
    const options = { host: repositories.host, path: repositories.path(project), source, updates: push.updates };
    const problems = await updateProblems(options);
    if (problems.length > 0) return refuse(problems);
    push.signal.throwIfAborted();
    const verdict = await handler.prepare(push);
    return verdict.kind === 'accepted' ? true : refuse(verdict.lines);
  } catch (error) {
    return refuse(wordsOf(error, conversation));
  }
}

/** gitprotocol of proc-receive, see githooks(5): versions, the commands, one report line each. */
async function procReceive(conversation: Conversation, push: PushContext, reader: ByteReader): Promise<'deployed' | 'not deployed'> {
  const { control } = conversation;
  const [version] = await readPackets(reader);
  if (!version?.toString('latin1').startsWith('version=1')) throw new CoppiceError('git-failed', 'git speaks another proc-receive');
  tellGit(control, [packet('version=1'), flushPacket]);
  const commands = (await readPackets(reader)).map(parseUpdate);
  const results = await deploy(conversation, push, commands);
  const report = results.map((result) => packet(result.kind === 'ok' ? `ok ${result.ref}` : `ng ${result.ref} ${reasonLine(result.why)}`));
  tellGit(control, [...report, flushPacket]);
  control.write('accept\n');
  return 'deployed';
}

/** The packets hold no newline, so each is a line to the hook. */
function tellGit(control: Duplex, packets: readonly (Buffer | string)[]): void {
  control.write(packets.map((bytes) => `out ${bytes}\n`).join(''));
}

async function deploy(conversation: Conversation, push: PushContext, commands: readonly RefUpdate[]): Promise<readonly RefResult[]> {
  const refuseAll = (why: string): readonly RefResult[] => commands.map(({ ref }) => ({ kind: 'refused', ref, why }));
  try {
    if (JSON.stringify(commands) !== JSON.stringify(push.updates.filter(isBranch)))
      return refuseAll('git changed its mind about the updates');
    push.signal.throwIfAborted();
    conversation.onDeploying();
    const results = new Map((await conversation.handler.deploy(push)).map((result) => [result.ref, result]));
    return commands.map(({ ref }) => results.get(ref) ?? { kind: 'refused', ref, why: 'the server gave no result' });
  } catch (error) {
    const [why = '', ...more] = wordsOf(error, conversation);
    for (const line of more) push.say(line);
    return refuseAll(why);
  }
}

function wordsOf(error: unknown, { signal, repositories, project }: Conversation): readonly string[] {
  if (isCoppiceError(error)) return errorLines(error);
  if (signal.aborted) return ['the push was cancelled'];
  repositories.host.log('push-failed', { project, error: error instanceof Error ? (error.stack ?? error.message) : `${error}` });
  return ['the server failed; its log says why'];
}

async function expectHook(reader: ByteReader, name: string): Promise<void> {
  const said = (await reader.until(0x0a)).toString('latin1');
  if (said !== name) throw new CoppiceError('git-failed', `expected the hook ${name}`);
}

function isBranch(update: RefUpdate): boolean {
  return update.ref.startsWith('refs/heads/');
}

function pushContext(conversation: Conversation, announcement: PushAnnouncement, objects: SwitchedSource): PushContext {
  const { project, actor, signal, repositories, control } = conversation;
  let dropped = 0;
  return {
    project,
    actor,
    options: announcement.options,
    updates: announcement.updates,
    objects: repositories.reader(project, objects),
    signal,
    say: (text) => {
      if (control.writableEnded || control.destroyed) return;
      // a client that does not read must not make us keep what it does not
      if (control.writableLength > maxWaitingBytes) {
        dropped += 1;
        return;
      }
      const lines = progressLines(text);
      const missed = dropped === 0 ? [] : [`(${dropped} lines left out)`];
      dropped = 0;
      control.write([...missed, ...lines].map((line) => `say ${line}\n`).join(''));
    },
  };
}

import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { CoppiceError } from '@coppice/model';

export interface ObjectInfo {
  readonly id: string;
  readonly type: string;
  /** Bytes. */
  readonly size: number;
}

export interface GitObject extends ObjectInfo {
  readonly content: Buffer;
}

/** Where objects are read from. Undefined: there is no such object. */
export interface ObjectSource {
  info(id: string): Promise<ObjectInfo | undefined>;
  /** Throws `limit-exceeded` where it is larger than `maxBytes`, without holding it in memory. */
  contents(id: string, maxBytes: number): Promise<GitObject | undefined>;
}

interface Question {
  /** Undefined: only the header is asked for. */
  readonly maxBytes: number | undefined;
  readonly answer: (object: ObjectInfo, content: Buffer) => void;
  readonly missing: () => void;
  readonly fail: (error: CoppiceError) => void;
}

interface Body {
  readonly question: Question;
  readonly info: ObjectInfo;
  readonly content: Buffer | undefined;
  filled: number;
}

/**
 * One `git cat-file --batch-command`, started at the first question, ended when idle. Questions are pipelined and answered in
 * order. A process that died fails what was asked (`git-failed`); the next question starts another.
 */
export class ObjectProcess implements ObjectSource {
  readonly #start: () => ChildProcess;
  readonly #idleMs: number;
  #child: ChildProcess | undefined;
  #idle: NodeJS.Timeout | undefined;
  #unsent: string[] = [];
  #asked: Question[] = [];
  #next = 0;
  #header: Buffer = Buffer.alloc(0);
  #body: Body | undefined;

  constructor(options: { readonly start: () => ChildProcess; readonly idleMs: number }) {
    this.#start = options.start;
    this.#idleMs = options.idleMs;
  }

  async info(id: string): Promise<ObjectInfo | undefined> {
    return await new Promise((resolve, reject) => {
      this.#ask(`info ${id}`, { maxBytes: undefined, answer: resolve, missing: () => resolve(undefined), fail: reject });
    });
  }

  async contents(id: string, maxBytes: number): Promise<GitObject | undefined> {
    return await new Promise((resolve, reject) => {
      const answer = (info: ObjectInfo, content: Buffer): void => resolve({ ...info, content });
      this.#ask(`contents ${id}`, { maxBytes, answer, missing: () => resolve(undefined), fail: reject });
    });
  }

  /** Ends the process; questions still open fail. */
  close(): void {
    clearTimeout(this.#idle);
    const child = this.#child;
    this.#child = undefined;
    child?.stdin?.end();
    this.#failAll('the object reader was closed');
  }

  #ask(command: string, question: Question): void {
    // a name from outside must never become a second command
    if (!/^[a-z]+ [0-9a-f]{4,40}$/.test(command)) {
      question.missing();
      return;
    }
    try {
      this.#running();
    } catch (error) {
      question.fail(error instanceof CoppiceError ? error : new CoppiceError('git-failed', 'git cat-file did not start', { cause: error }));
      return;
    }
    if (this.#unsent.length === 0) queueMicrotask(() => this.#send());
    this.#unsent.push(command);
    this.#asked.push(question);
    clearTimeout(this.#idle);
    this.#hold('ref');
  }

  #send(): void {
    if (this.#unsent.length === 0) return;
    this.#child?.stdin?.write(`${this.#unsent.join('\n')}\nflush\n`);
    this.#unsent = [];
  }

  #running(): ChildProcess {
    if (this.#child) return this.#child;
    const child = this.#start();
    this.#child = child;
    child.stdout?.on('data', (chunk: Buffer) => {
      if (this.#child === child) this.#take(chunk);
    });
    child.stderr?.resume();
    const ended = (): void => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#failAll('git cat-file ended unexpectedly');
    };
    child.once('close', ended);
    child.once('error', ended);
    child.unref();
    return child;
  }

  #take(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) rest = this.#body ? this.#takeBody(this.#body, rest) : this.#takeHeader(rest);
    if (this.#open > 0) return;
    this.#asked = [];
    this.#next = 0;
    this.#hold('unref');
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.close(), this.#idleMs).unref();
  }

  get #open(): number {
    return this.#asked.length - this.#next;
  }

  #takeHeader(chunk: Buffer): Buffer {
    const end = chunk.indexOf(0x0a);
    if (end < 0) {
      this.#header = Buffer.concat([this.#header, chunk]);
      return Buffer.alloc(0);
    }
    const [id = '', type = '', size] = Buffer.concat([this.#header, chunk.subarray(0, end)])
      .toString('latin1')
      .split(' ');
    this.#header = Buffer.alloc(0);
    const question = this.#asked[this.#next];
    this.#next += 1;
    const rest = chunk.subarray(end + 1);
    if (!question) return rest;
    // `ID missing`, `ID ambiguous`
    if (size === undefined) {
      question.missing();
      return rest;
    }
    const info: ObjectInfo = { id, type, size: Number(size) };
    if (question.maxBytes === undefined) question.answer(info, Buffer.alloc(0));
    else this.#body = { question, info, content: info.size <= question.maxBytes ? Buffer.allocUnsafe(info.size) : undefined, filled: 0 };
    return rest;
  }

  #takeBody(body: Body, chunk: Buffer): Buffer {
    const { question, info, content } = body;
    const take = Math.min(chunk.length, info.size - body.filled);
    if (content) chunk.copy(content, body.filled, 0, take);
    body.filled += take;
    // the content is followed by a newline
    if (take === chunk.length) return Buffer.alloc(0);
    this.#body = undefined;
    if (content) question.answer(info, content);
    else
      question.fail(
        new CoppiceError('limit-exceeded', `${info.type} ${info.id} has ${info.size} bytes; at most ${question.maxBytes} are read`),
      );
    return chunk.subarray(take + 1);
  }

  #failAll(why: string): void {
    const open = this.#asked.slice(this.#next);
    const reading = this.#body?.question;
    this.#asked = [];
    this.#next = 0;
    this.#unsent = [];
    this.#body = undefined;
    this.#header = Buffer.alloc(0);
    for (const question of reading ? [reading, ...open] : open) question.fail(new CoppiceError('git-failed', why));
  }

  /** An idle process must not keep ours alive. */
  #hold(how: 'ref' | 'unref'): void {
    for (const stream of [this.#child?.stdin, this.#child?.stdout, this.#child?.stderr]) if (stream instanceof Socket) stream[how]();
  }
}

/** Asks one source until told to ask another: what a push reads from, first its quarantine and later the repository. */
export class SwitchedSource implements ObjectSource {
  #source: ObjectSource;

  constructor(source: ObjectSource) {
    this.#source = source;
  }

  switchTo(source: ObjectSource): void {
    this.#source = source;
  }

  async info(id: string): Promise<ObjectInfo | undefined> {
    return await this.#source.info(id);
  }

  async contents(id: string, maxBytes: number): Promise<GitObject | undefined> {
    return await this.#source.contents(id, maxBytes);
  }
}

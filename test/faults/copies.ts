import { type Clone, type TestServer, until } from '../e2e/harness.ts';
import type { FaultRow } from './fault-row.ts';
import { type Bounds, numberedApplication, numberedState, wrongWith } from './numbered-application.ts';
import { NumberedWriter } from './numbered-writer.ts';

const project = 'numbers';
const hostOf = (branch: string): string => `${branch}.${project}.localhost`;

export interface CopiesOptions {
  /** How many copies are made and looked at; each fifth is one of each kind. */
  readonly copies: number;
  readonly print: (line: string) => void;
}

/** Something that copies or brings back data; resolves with what is wrong with it, a line each. */
type CopyKind = (index: number) => Promise<readonly string[]>;

/** Copies an environment again and again while a writer goes on in it: every copy must be what was there at one instant. */
export async function copiesUnderWriter(server: TestServer, { copies, print }: CopiesOptions): Promise<readonly FaultRow[]> {
  const subject = await Subject.open(server);
  const found = new Map<string, { tried: number; readonly lost: string[]; longestMs: number }>();
  for (let index = 0; index < copies; index += 1) {
    const [name, copy] = subject.kinds[index % subject.kinds.length] ?? subject.kinds[0];
    const row = found.get(name) ?? { tried: 0, lost: [], longestMs: 0 };
    const startedMs = performance.now();
    const wrong = await copy(index).catch((error: unknown) => [String(error)]);
    const tookMs = performance.now() - startedMs;
    found.set(name, { tried: row.tried + 1, lost: [...row.lost, ...wrong], longestMs: Math.max(row.longestMs, tookMs) });
    print(
      `${name} ${index + 1} of ${copies}, at number ${subject.writer.bounds.answered}${wrong.length > 0 ? `: ${wrong.join('; ')}` : ''}`,
    );
    if (!isAlive(server)) throw new Error(`the server died:\n${server.log.slice(-4_000)}`);
  }
  const parent = { name: 'what the parent answered', tried: 1, lost: await subject.end(), longestMs: 0 };
  const rows = [...[...found].map(([name, row]) => ({ name, ...row })), parent];
  return rows.map((row) => ({ group: 'copies', requests: subject.writer.requests, ...row }));
}

function isAlive({ pid }: TestServer): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The environment that is written to, and what can be done with it. */
class Subject {
  readonly writer: NumberedWriter;
  readonly #server: TestServer;
  readonly #clone: Clone;
  #branch = '';
  #backup: { readonly id: string; readonly bounds: Bounds } | undefined;

  private constructor(server: TestServer, clone: Clone) {
    this.#server = server;
    this.#clone = clone;
    this.writer = new NumberedWriter(server, hostOf('main'));
  }

  static async open(server: TestServer): Promise<Subject> {
    const clone = await server.project(project);
    await clone.deploy(numberedApplication('first'));
    const subject = new Subject(server, clone);
    subject.writer.start();
    await until(() => subject.writer.bounds.answered > 20, { what: 'the writer goes on' });
    return subject;
  }

  /** In turn. */
  get kinds(): readonly [readonly [string, CopyKind], ...(readonly [string, CopyKind])[]] {
    return [
      ['clone', (index) => this.#cloned(`copy-${index}`)],
      ['backup', () => this.#backedUp()],
      ['restore', () => this.#restored()],
      ['sync', () => this.#synced()],
      ['revert', (index) => this.#reverted(`version ${index}`)],
    ];
  }

  /** Stops the writer; resolves with what failed or is missing in the environment itself. */
  async end(): Promise<readonly string[]> {
    await this.writer.stop();
    return [...this.writer.wrong, ...wrongWith(await numberedState(this.#server, hostOf('main')), this.writer.bounds)];
  }

  async #cloned(branch: string): Promise<readonly string[]> {
    if (this.#branch !== '') await this.#push(`:refs/heads/${this.#branch}`);
    this.#branch = branch;
    const bounds = await this.#during(() => this.#push(`HEAD:refs/heads/${branch}`));
    return wrongWith(await numberedState(this.#server, hostOf(branch)), bounds);
  }

  async #backedUp(): Promise<readonly string[]> {
    let id = '';
    const bounds = await this.#during(async () => {
      ({ id } = await this.#server.read<{ readonly id: string }>('backup', 'create', '--project', project, '--env', 'main'));
    });
    this.#backup = { id, bounds };
    // Looked at when it is restored.
    return [];
  }

  async #restored(): Promise<readonly string[]> {
    if (!this.#backup) throw new Error('there is no backup');
    await this.#command('backup', 'restore', this.#backup.id, '--to', this.#branch);
    return wrongWith(await numberedState(this.#server, hostOf(this.#branch)), this.#backup.bounds);
  }

  async #synced(): Promise<readonly string[]> {
    const bounds = await this.#during(() => this.#command('env', 'sync', this.#branch, '--force'));
    return wrongWith(await numberedState(this.#server, hostOf(this.#branch)), bounds);
  }

  /** Another release, under which the writer goes on, and back to the one before with the data that it served last. */
  async #reverted(version: string): Promise<readonly string[]> {
    const { deployment } = await this.#server.read<{ readonly deployment: string }>('env', 'show', 'main', '--project', project);
    await this.#clone.git('fetch', '--quiet', 'origin');
    await this.#clone.git('reset', '--quiet', '--hard', 'origin/main');
    await this.#clone.commit(numberedApplication(version));
    const bounds = await this.#during(() => this.#push('HEAD:refs/heads/main'));
    await until(() => this.writer.bounds.answered > bounds.sent, { what: 'the writer goes on under the new release' });
    const rewound = this.writer.rewound(bounds);
    await this.#command('revert', deployment, '--with-data', '--env', 'main');
    return await rewound;
  }

  /** What was answered before, and sent until the end of something. */
  async #during(work: () => Promise<void>): Promise<Bounds> {
    const { answered } = this.writer.bounds;
    await work();
    return { answered, sent: this.writer.bounds.sent };
  }

  async #push(refspec: string): Promise<void> {
    const { code, output } = await this.#clone.push(refspec);
    if (code !== 0) throw new Error(`the push was refused: ${output}`);
  }

  async #command(...args: readonly string[]): Promise<void> {
    const { code, stdout, stderr } = await this.#server.cli(...args, '--project', project);
    if (code !== 0) throw new Error(`coppice ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
  }
}

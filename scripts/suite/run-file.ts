import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endOfEvents, type SuiteEvent } from './suite-event.ts';
import { type CountedTest, countedTests } from './tally.ts';

/** What came of one test file. */
export interface FileResult {
  readonly file: string;
  readonly durationMs: number;
  /** Failures of the file itself (it crashed, found no tests, took too long) stand among them, as failed tests. */
  readonly tests: readonly CountedTest[];
  /** What it printed, both streams together, the end of it. */
  readonly output: string;
}

export interface FileRun {
  readonly root: string;
  /** Relative to `root`. */
  readonly file: string;
  /** For the whole file; then it and its children in its process group are killed. */
  readonly timeoutMs: number;
}

const reporter = new URL('event-reporter.ts', import.meta.url).href;
const maxOutputLength = 64 * 1024;

/** Runs one test file in a process of its own. Resolves with what came of it, also when it crashed. */
export async function runFile({ root, file, timeoutMs }: FileRun): Promise<FileResult> {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-suite-'));
  const eventsFile = join(folder, 'events');
  const started = performance.now();
  try {
    const child = spawn(process.execPath, [`--test-reporter=${reporter}`, `--test-reporter-destination=${eventsFile}`, join(root, file)], {
      cwd: root,
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const { end, output } = await ended(child, timeoutMs);
    const { events, complete } = readEvents(eventsFile);
    const tests = countedTests(events);
    const own = failureOfFile(end, { tests, complete });
    const all =
      own === undefined ? tests : [...tests, { path: ['(the file itself)'], result: 'failed' as const, durationMs: 0, error: own }];
    return { file, durationMs: performance.now() - started, tests: all, output };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type End =
  | { readonly kind: 'exit'; readonly code: number | null; readonly signal: string | null }
  | { readonly kind: 'timeout'; readonly afterMs: number };

interface Reported {
  readonly tests: readonly CountedTest[];
  /** False where the process ended before its tests did. */
  readonly complete: boolean;
}

function failureOfFile(end: End, { tests, complete }: Reported): string | undefined {
  if (end.kind === 'timeout') return `it had not ended after ${end.afterMs / 1000} s and was killed`;
  if (end.signal !== null) return `it was killed by ${end.signal}`;
  if (tests.length === 0) return `it ended with exit code ${end.code} and without a test`;
  if (!complete) return `it ended with exit code ${end.code} before its tests did`;
  const explained = tests.some((test) => test.result === 'failed');
  return end.code !== 0 && !explained ? `it crashed with exit code ${end.code}` : undefined;
}

function ended(child: ChildProcess, timeoutMs: number): Promise<{ readonly end: End; readonly output: string }> {
  return new Promise((resolve, reject) => {
    let output = '';
    let late = false;
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-maxOutputLength);
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    const timer = setTimeout(() => {
      late = true;
      killGroup(child);
    }, timeoutMs);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      // What it started and did not wait for may hold the pipes; it must not hold us.
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve({ end: late ? { kind: 'timeout', afterMs: timeoutMs } : { kind: 'exit', code, signal }, output });
    });
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // It ended in the same moment.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function readEvents(path: string): { readonly events: readonly SuiteEvent[]; readonly complete: boolean } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { events: [], complete: false };
    throw error;
  }
  // The last line is cut where the process was killed while it wrote.
  const lines = text.split('\n').slice(0, -1);
  const events = lines.filter((line) => line !== endOfEvents).map((line) => JSON.parse(line) as SuiteEvent);
  return { events, complete: lines.includes(endOfEvents) };
}

/** Tests must not see the settings of the person who runs them, nor think that they run inside another test. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('COPPICE_') && name !== 'NODE_TEST_CONTEXT'));
}

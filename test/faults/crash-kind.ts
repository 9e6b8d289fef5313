import type { ActivityView } from '@coppice/control';
import { type Clone, type PushFlags, until } from '../e2e/harness.ts';
import type { FaultServer } from './fault-server.ts';

/** How what was asked for ended for whoever asked: `broken` where the server died under it. */
export type Outcome = 'accepted' | 'refused' | 'broken';

/** One change of one project, made again and again, so that the server can be killed at each of its effects. */
export interface CrashKind {
  readonly name: string;
  /** A host that must be served throughout, also while the server is down. */
  readonly serves: string;
  /** Brings the project to where the change begins. */
  readonly prepare: () => Promise<void>;
  /** Makes the change, until whoever asked is answered or the server is dead. */
  readonly act: () => Promise<Outcome>;
  /** Makes the change once more after the server died in it, whether or not it was done: it must be accepted. */
  readonly repeat: () => Promise<Outcome>;
  /** What is wrong with the change once it was accepted; undefined where nothing is. */
  readonly wrong: () => Promise<string | undefined>;
  /** What is wrong with the data after the server died in the change and all is at rest: it must be as before or as after. */
  readonly neither?: () => Promise<string | undefined>;
  /** What is lost of the bodies that were posted to `serves` and acknowledged, a line each. */
  readonly lostOf?: (posted: readonly string[]) => Promise<readonly string[]>;
}

/** What a kind does, whatever it is called. */
export type CrashChange = Omit<CrashKind, 'name'>;

const broken = /hung up|early EOF|unexpected disconnect|Recv failure|Failed to connect|Couldn't connect|Empty reply|RPC failed/i;

export interface HeardPush extends PushFlags {
  /** Told what git and the server said. */
  readonly hear?: (output: string) => void;
}

/** Pushes, and says what the client saw. */
export async function pushed(clone: Clone, refspec: string | readonly string[], { hear, ...flags }: HeardPush = {}): Promise<Outcome> {
  const { code, output } = await clone.push(refspec, flags);
  hear?.(output);
  if (code === 0) return 'accepted';
  if (/\[remote rejected\]/.test(output)) return 'refused';
  if (broken.test(output)) return 'broken';
  throw new Error(`git said neither yes nor no:\n${output}`);
}

/** How something is asked for over HTTP. */
export interface Ask {
  readonly method?: 'POST' | 'DELETE';
  readonly body?: Readonly<Record<string, unknown>>;
}

/** Asks, and answers what came back as JSON; undefined where the server died. */
export async function asked<Answer>(faulty: FaultServer, path: string, { method = 'POST', body }: Ask = {}): Promise<Answer | undefined> {
  const json = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  try {
    const answer = await faulty.server.api(path, { method, ...json });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${text}`);
    return JSON.parse(text) as Answer;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    await faulty.dead();
    return undefined;
  }
}

/** Asks for what is an activity and waits for its end; `broken` where the server dies first. */
export async function commanded(faulty: FaultServer, path: string, ask?: Ask): Promise<Outcome> {
  const { server } = faulty;
  const begun = await asked<{ readonly activity: string }>(faulty, path, ask);
  if (!begun) return 'broken';
  try {
    const { activity } = begun;
    const state = await until(
      async () => {
        const view = (await (await server.api(`/v1/activities/${activity}`)).json()) as ActivityView;
        return view.state === 'running' ? undefined : view.state;
      },
      { what: `${path} ends`, everyMs: 20 },
    );
    return state === 'succeeded' ? 'accepted' : 'refused';
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    await faulty.dead();
    return 'broken';
  }
}

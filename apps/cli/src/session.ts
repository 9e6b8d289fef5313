import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CoppiceError } from '@coppice/model';
import { ApiClient } from './api-client.ts';
import { readClone } from './clone-context.ts';
import type { LocalClone } from './local-clone.ts';
import { systemCode } from './system-code.ts';

/** Flags that every command takes. */
export interface GlobalFlags {
  readonly url?: string;
  readonly token?: string;
  readonly project?: string;
  readonly env?: string;
  readonly json?: boolean;
}

/** What a command works with: the server, the project and the environment it is about, and how to print. */
export interface Session {
  readonly api: ApiClient;
  readonly json: boolean;
  /** Throws `invalid-request` where no project is named anywhere. */
  readonly project: () => string;
  /** The same, undefined where none is named. */
  readonly namedProject: string | undefined;
  /** Name or branch of the environment; undefined for the default one. */
  readonly environmentName: string | undefined;
  /** Path of the environment in the API: `-` for the default one. */
  readonly environment: () => string;
  /** As given by flag or variable; undefined where it comes from the clone or is the default. */
  readonly namedEnvironment: string | undefined;
  /** The clone that the command runs in; undefined where it is none of the project that is asked about. */
  readonly clone: LocalClone | undefined;
}

const defaultUrl = 'http://127.0.0.1:7070';

/**
 * Flags go before variables, variables before what the clone's remote and HEAD tell; an empty variable is none. Throws `invalid-request`
 * for an address or a data directory that cannot be one, `not-allowed` for a token that may not be read.
 */
export async function openSession(flags: GlobalFlags, environment: NodeJS.ProcessEnv, folder: string): Promise<Session> {
  const told = await readClone(folder);
  const variable = (name: string): string | undefined => environment[name] || undefined;
  const url = serverAddress(flags.url ?? variable('COPPICE_URL') ?? told.url ?? defaultUrl);
  const token = flags.token ?? variable('COPPICE_TOKEN') ?? told.token ?? tokenOfDataDirectory(variable('COPPICE_DATA')) ?? '';
  const project = flags.project ?? variable('COPPICE_PROJECT') ?? told.project;
  const named = flags.env ?? variable('COPPICE_ENV');
  // HEAD and revisions mean something only where the clone is one of the project that is asked about.
  const ours = told.project !== undefined && told.project === project;
  const environmentName = named ?? (ours ? told.branch : undefined);
  return {
    api: new ApiClient({ url, token }),
    json: flags.json === true,
    namedEnvironment: named,
    namedProject: project,
    project: () => {
      if (project !== undefined) return project;
      throw new CoppiceError('invalid-request', 'which project? Give --project or COPPICE_PROJECT, or run this inside a clone of it');
    },
    environmentName,
    environment: () => encodeURIComponent(environmentName ?? '-'),
    clone: ours ? told.clone : undefined,
  };
}

function serverAddress(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text.replace(/\/+$/, '');
  throw new CoppiceError('invalid-request', `"${text}" is no address of a server; write it as http://HOST:PORT`);
}

function tokenOfDataDirectory(directory: string | undefined): string | undefined {
  if (directory === undefined) return undefined;
  const file = join(directory, 'admin-token');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw unreadableToken(file, error);
  }
}

function unreadableToken(file: string, cause: unknown): CoppiceError {
  const code = systemCode(cause);
  const hint = 'set COPPICE_DATA to what `coppice server --data` names, or give --token or COPPICE_TOKEN';
  if (code === 'ENOENT')
    return new CoppiceError('invalid-request', `there is no administrator's token at ${file}, where COPPICE_DATA points`, { cause, hint });
  const message = `the administrator's token at ${file}, where COPPICE_DATA points, cannot be read: ${code}`;
  return new CoppiceError(code === 'EACCES' ? 'not-allowed' : 'invalid-request', message, { cause, hint });
}

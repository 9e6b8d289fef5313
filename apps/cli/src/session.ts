import { readFileSync } from 'node:fs';
import { CoppiceError } from '@coppice/model';
import { ApiClient } from './api-client.ts';
import { type CloneContext, readClone } from './clone-context.ts';

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
  /** Path of the environment in the API: `-` for the default one. */
  readonly environment: () => string;
  /** As given by flag or variable; undefined where it comes from the clone or is the default. */
  readonly namedEnvironment: string | undefined;
}

const defaultUrl = 'http://127.0.0.1:7070';

/** Flags go before variables, variables before what the clone's remote and HEAD tell. */
export async function openSession(flags: GlobalFlags, environment: NodeJS.ProcessEnv, folder: string): Promise<Session> {
  const clone = await readClone(folder);
  const url = (flags.url ?? environment['COPPICE_URL'] ?? clone.url ?? defaultUrl).replace(/\/+$/, '');
  const token = flags.token ?? environment['COPPICE_TOKEN'] ?? clone.token ?? tokenOfDataDirectory(environment) ?? '';
  const project = flags.project ?? environment['COPPICE_PROJECT'] ?? clone.project;
  const named = flags.env ?? environment['COPPICE_ENV'];
  return {
    api: new ApiClient({ url, token }),
    json: flags.json === true,
    namedEnvironment: named,
    project: () => {
      if (project !== undefined) return project;
      throw new CoppiceError('invalid-request', 'which project? Give --project or COPPICE_PROJECT, or run this inside a clone of it');
    },
    environment: () => encodeURIComponent(named ?? branchOfProject(clone, project) ?? '-'),
  };
}

/** HEAD names the environment only where the clone is one of the project that is asked about. */
function branchOfProject(clone: CloneContext, project: string | undefined): string | undefined {
  return clone.project !== undefined && clone.project === project ? clone.branch : undefined;
}

function tokenOfDataDirectory(environment: NodeJS.ProcessEnv): string | undefined {
  const data = environment['COPPICE_DATA'];
  return data === undefined ? undefined : readFileSync(`${data}/admin-token`, 'utf8').trim();
}

import { DockerConnection } from './docker-connection.ts';
import { DockerStatusError } from './docker-error.ts';

/** A folder of this host, and the engine that shall see it; `dockerHost` as in DOCKER_HOST. */
export interface FolderQuestion {
  readonly dockerHost: string | undefined;
  /** Absolute. */
  readonly folder: string;
}

/**
 * Whether the engine finds a folder where we do: one in a mount namespace of its own sees what lies below our mounts. Makes nothing.
 * Throws `engine-unreachable` where none answers.
 */
export async function engineSeesFolder({ dockerHost, folder }: FolderQuestion): Promise<boolean> {
  const connection = new DockerConnection(dockerHost);
  try {
    return await seesFolder(connection, folder);
  } finally {
    connection.close();
  }
}

/** The same on a connection. The engine checks a bind mount's source before it looks for the image: so one that cannot exist is enough to ask. */
export async function seesFolder(connection: DockerConnection, folder: string): Promise<boolean> {
  const body = {
    Image: `sha256:${'0'.repeat(64)}`,
    Cmd: ['true'],
    HostConfig: { Mounts: [{ Type: 'bind', Source: folder, Target: '/probe', ReadOnly: true }] },
  };
  try {
    await connection.json({ method: 'POST', path: '/containers/create', body });
    return true;
  } catch (error) {
    if (error instanceof DockerStatusError && error.status === 404) return true;
    if (error instanceof DockerStatusError && error.status === 400) return false;
    throw error;
  }
}

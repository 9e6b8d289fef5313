import type { EnvironmentRecord } from '@coppice/state';
import type { Settings } from '../ports.ts';
import type { Addressing } from './routes.ts';

/** Host and port an environment is found at. */
export function addressingOf(environment: Pick<EnvironmentRecord, 'name' | 'project'>, settings: Settings): Addressing {
  const port = Number(settings.routerAddress.slice(settings.routerAddress.lastIndexOf(':') + 1));
  return { host: `${environment.name}.${environment.project}.${settings.domain}`, port };
}

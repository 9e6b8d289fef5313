import { CoppiceError } from '@coppice/model';

/** How long kept data stays. */
export interface RetentionSettings {
  /** Days that what was deleted lies in the trash. */
  readonly trashDays: number;
  /** Deployments of an environment that may be reverted to, data included. */
  readonly deployments: number;
}

export const defaultRetention: RetentionSettings = { trashDays: 7, deployments: 20 };

/** As the server's variables say. Throws `invalid-request` for what is no number or none that makes sense. */
export function configuredRetention(variables: Readonly<Record<string, string | undefined>>): RetentionSettings {
  return {
    trashDays: amount('COPPICE_TRASH_DAYS', variables, defaultRetention.trashDays),
    deployments: amount('COPPICE_KEPT_DEPLOYMENTS', variables, defaultRetention.deployments),
  };
}

const most = 10_000;

function amount(name: string, variables: Readonly<Record<string, string | undefined>>, fallback: number): number {
  const text = variables[name];
  if (text === undefined || text === '') return fallback;
  const value = /^[1-9]\d*$/.test(text) ? Number(text) : Number.NaN;
  if (value <= most) return value;
  throw new CoppiceError('invalid-request', `${name} is "${text}", which is no number from 1 to ${most}`);
}

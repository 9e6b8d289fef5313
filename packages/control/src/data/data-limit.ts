import type { EnvironmentSpec } from '@coppice/model';
import { keepsData } from './touches-data.ts';

/** Of a node that keeps data and whose type and file say nothing. */
const defaultBytes = 5 * 1024 ** 3;

/** Bytes that an environment's data may take: the sum of its nodes' `disk`; `none` where no node keeps any. Pure. */
export function dataLimit({ nodes }: EnvironmentSpec): number | 'none' {
  const shares = nodes.filter(keepsData).map(({ resources }) => resources.diskBytes || defaultBytes);
  return shares.length === 0 ? 'none' : shares.reduce((sum, bytes) => sum + bytes, 0);
}

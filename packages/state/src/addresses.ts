import { CoppiceError, type EnvironmentId, type NodeName } from '@coppice/model';
import type { Database } from './database.ts';

const highestOffset = 254;

/** The node's offset, or the lowest that no node of the environment has. To be called in a transaction. Throws `limit-exceeded`. */
export function addressOffset(database: Database, environment: EnvironmentId, node: NodeName): number {
  const rows = database.all<{ node: string; position: number }>(
    'SELECT node, position FROM addresses WHERE environment = @environment ORDER BY position',
    { environment },
  );
  const known = rows.find((row) => row.node === node);
  if (known !== undefined) return known.position;
  const taken = new Set(rows.map((row) => row.position));
  let position = 1;
  while (taken.has(position)) position += 1;
  if (position > highestOffset) {
    throw new CoppiceError('limit-exceeded', `an environment has room for the addresses of ${highestOffset} nodes in its life`, {
      hint: 'delete the environment and push its branch again',
    });
  }
  database.run('INSERT INTO addresses (environment, node, position) VALUES (@environment, @node, @position)', {
    environment,
    node,
    position,
  });
  return position;
}

import {
  canonicalJson,
  type Digest,
  type EnvironmentSpec,
  environmentSpecDigest,
  type GitId,
  type Release,
  releaseDigest,
} from '@coppice/model';
import type { Clock } from './clock.ts';
import type { Database } from './database.ts';
import type { ReleaseStore } from './store.ts';
import { parseStored } from './stored-json.ts';

/** Releases and specs by content, and the ledger of which tree gave which release. */
export function releaseStore(database: Database, clock: Clock): ReleaseStore {
  const resolved = (project: string, tree: GitId): Digest | undefined =>
    database.get<{ release: Digest }>('SELECT release FROM ledger WHERE project = @project AND tree = @tree', { project, tree })?.release;
  return {
    put: (release) => putJson(database, { table: 'releases', digest: releaseDigest(release), json: canonicalJson(release) }),
    get: (digest) => getJson<Release>(database, 'releases', digest),
    putSpec: (spec) => putJson(database, { table: 'specs', digest: environmentSpecDigest(spec), json: canonicalJson(spec) }),
    getSpec: (digest) => getJson<EnvironmentSpec>(database, 'specs', digest),
    resolved,
    resolve(project, tree, release, mode) {
      const onConflict = mode === 'refresh' ? 'UPDATE SET release = excluded.release, resolved_at = excluded.resolved_at' : 'NOTHING';
      return database.transaction(() => {
        database.run(
          `INSERT INTO ledger (project, tree, release, resolved_at) VALUES (@project, @tree, @release, @resolvedAt)
           ON CONFLICT DO ${onConflict}`,
          { project, tree, release, resolvedAt: clock.now().toISOString() },
        );
        return resolved(project, tree) ?? release;
      });
    },
  };
}

type ContentTable = 'releases' | 'specs';

function putJson(database: Database, row: { readonly table: ContentTable; readonly digest: Digest; readonly json: string }): Digest {
  database.run(`INSERT INTO ${row.table} (digest, json) VALUES (@digest, @json) ON CONFLICT DO NOTHING`, {
    digest: row.digest,
    json: row.json,
  });
  return row.digest;
}

function getJson<Value>(database: Database, table: ContentTable, digest: Digest): Value | undefined {
  const row = database.get<{ json: string }>(`SELECT json FROM ${table} WHERE digest = @digest`, { digest });
  return row === undefined ? undefined : parseStored<Value>(row.json);
}

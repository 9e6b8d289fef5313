import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from './clock.ts';
import type { Database } from './database.ts';
import type { TokenStore } from './store.ts';

const tokenBytes = 32;

/** Access tokens, stored as SHA-256: they are random, so nothing slower is needed. */
export function tokenStore(database: Database, clock: Clock): TokenStore {
  return {
    issue(name) {
      const token = `coppice_${randomBytes(tokenBytes).toString('base64url')}`;
      database.run('INSERT INTO tokens (hash, name, created_at) VALUES (@hash, @name, @createdAt)', {
        hash: hashOf(token),
        name,
        createdAt: clock.now().toISOString(),
      });
      return token;
    },
    verify(token) {
      const hash = hashOf(token);
      let name: string | undefined;
      // To the end of the list even after a hit, so that the time tells nothing.
      for (const row of database.all<{ hash: Buffer; name: string }>('SELECT hash, name FROM tokens')) {
        if (timingSafeEqual(row.hash, hash)) name = row.name;
      }
      return name;
    },
  };
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}

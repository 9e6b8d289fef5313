import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { CoppiceError, type EnvironmentId } from '@coppice/model';
import type { Database } from './database.ts';
import { makeSecretKey, readSecretKey } from './secret-key.ts';
import { guarded } from './sqlite-failure.ts';
import type { SecretStore } from './store.ts';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
const secretBytes = 24;
const keyedHashDigits = 12;

interface SecretRow {
  readonly environment: EnvironmentId;
  readonly name: string;
  readonly nonce: Buffer;
  readonly sealed: Buffer;
  readonly tag: Buffer;
}

/**
 * Generated secrets, sealed with AES-256-GCM: a nonce per value, and the environment and name as additional data, so that a row cannot be
 * passed off as another. Throws `secret-unreadable` where the key file is not the one that sealed what is stored.
 */
export function secretStore(database: Database, keyFile: string): SecretStore {
  let loaded: KeyObject | undefined;
  const key = (): KeyObject => {
    loaded ??= guarded('the key file', () => loadKey(database, keyFile));
    return loaded;
  };
  let hashing: KeyObject | undefined;
  const hashingKey = (): KeyObject => {
    // A key of its own, so that no hash tells anything about what is sealed.
    hashing ??= createSecretKey(Buffer.from(hkdfSync('sha256', key(), '', 'coppice keyed hash 1', 32)));
    return hashing;
  };
  return {
    obtain: (environment, name) =>
      database.transaction(() => {
        const row = database.get<SecretRow>('SELECT * FROM secrets WHERE environment = @environment AND name = @name', {
          environment,
          name,
        });
        if (row !== undefined) return unseal(key(), row);
        const value = randomBytes(secretBytes).toString('base64url');
        database.run('INSERT INTO secrets (environment, name, nonce, sealed, tag) VALUES (@environment, @name, @nonce, @sealed, @tag)', {
          ...seal(key(), { environment, name, value }),
        });
        return value;
      }),
    values(environment) {
      const where = environment === undefined ? '' : 'WHERE environment = @environment';
      const rows = database.all<SecretRow>(
        `SELECT * FROM secrets ${where} ORDER BY environment, name`,
        environment === undefined ? {} : { environment },
      );
      return rows.map((row) => unseal(key(), row));
    },
    keyedHash: (text) => createHmac('sha256', hashingKey()).update(text, 'utf8').digest('hex').slice(0, keyedHashDigits),
  };
}

/** The key lies outside of the buffers that other parts of the process share. A new one is made only while nothing is sealed, and a wrong one is noticed before anything more is sealed with it. */
function loadKey(database: Database, keyFile: string): KeyObject {
  const sample = database.get<SecretRow>('SELECT * FROM secrets LIMIT 1');
  const found = readSecretKey(keyFile);
  if (sample === undefined) return createSecretKey(found ?? makeSecretKey(keyFile));
  if (found === undefined) {
    throw new CoppiceError('secret-unreadable', `the database holds secrets, but their key file ${keyFile} is gone`, { hint: restoreHint });
  }
  const key = createSecretKey(found);
  unseal(key, sample);
  return key;
}

function seal(key: KeyObject, secret: { readonly environment: EnvironmentId; readonly name: string; readonly value: string }): SecretRow {
  const { environment, name, value } = secret;
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes }).setAAD(additionalData(environment, name));
  const sealed = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  return { environment, name, nonce, sealed, tag: cipher.getAuthTag() };
}

function unseal(key: KeyObject, row: SecretRow): string {
  try {
    const decipher = createDecipheriv(algorithm, key, row.nonce, { authTagLength: tagBytes })
      .setAAD(additionalData(row.environment, row.name))
      .setAuthTag(row.tag);
    return Buffer.concat([decipher.update(row.sealed), decipher.final()]).toString('utf8');
  } catch (error) {
    throw new CoppiceError(
      'secret-unreadable',
      `the key file does not open the secret "${row.name}" of the environment ${row.environment}`,
      {
        cause: error,
        hint: restoreHint,
      },
    );
  }
}

const restoreHint = 'put back the secret.key that belongs to this database';

function additionalData(environment: EnvironmentId, name: string): Buffer {
  return Buffer.from(JSON.stringify([environment, name]), 'utf8');
}

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoppiceError, canonicalJson, type EnvironmentId } from '@coppice/model';
import { isMissing } from './file-failure.ts';

/** Whose a set is; lies beside its data as `owner.json`. */
export interface OwnerMarker {
  readonly v: 1;
  readonly server: string;
  readonly environment: EnvironmentId;
}

const fileName = 'owner.json';

/** Writes the marker of a set, down to the disk. */
export async function writeMarker(folder: string, marker: OwnerMarker): Promise<void> {
  await writeFile(join(folder, fileName), `${canonicalJson(marker)}\n`, { mode: 0o600, flush: true });
}

/** The marker of a set, or undefined where there is none. Throws `volume-failed` for one that cannot be understood. */
export async function readMarker(folder: string): Promise<OwnerMarker | undefined> {
  const path = join(folder, fileName);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const marker = parse(text);
  if (marker === undefined) throw new CoppiceError('volume-failed', `${path} is no marker that this version understands`);
  return marker;
}

function parse(text: string): OwnerMarker | undefined {
  try {
    const value = JSON.parse(text) as Partial<OwnerMarker> | null;
    return value?.v === 1 && typeof value.server === 'string' && typeof value.environment === 'string' ? (value as OwnerMarker) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

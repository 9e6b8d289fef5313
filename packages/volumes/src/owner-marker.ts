import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoppiceError, canonicalJson, type EnvironmentId } from '@coppice/model';
import type { Disk } from './disk.ts';
import { isMissing } from './file-failure.ts';

/** Whose a set or a kept copy is, and which data; lies beside the data as `owner.json`. */
export interface OwnerMarker {
  readonly v: 1;
  readonly server: string;
  readonly environment: EnvironmentId;
  /** See Volumes.generation. */
  readonly generation: number;
}

/** Of the file; what it is made under begins with it. */
export const markerName = 'owner.json';

/** Writes a marker where there is none, down to the disk. */
export async function writeMarker(disk: Disk, folder: string, marker: OwnerMarker): Promise<void> {
  await disk.writeFile(join(folder, markerName), textOf(marker));
}

/** Puts a marker in the place of another, down to the disk. */
export async function replaceMarker(disk: Disk, folder: string, marker: OwnerMarker): Promise<void> {
  const draft = join(folder, `${markerName}.making`);
  await disk.writeFile(draft, textOf(marker));
  await disk.rename(draft, join(folder, markerName));
  await disk.syncFolder(folder);
}

/** The marker in a folder, or undefined where there is none. Throws `volume-failed` for one that cannot be understood. */
export async function readMarker(folder: string): Promise<OwnerMarker | undefined> {
  const path = join(folder, markerName);
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

function textOf(marker: OwnerMarker): string {
  return `${canonicalJson(marker)}\n`;
}

function parse(text: string): OwnerMarker | undefined {
  try {
    const { v, server, environment, generation = 0 } = (JSON.parse(text) ?? {}) as Partial<OwnerMarker>;
    const isWhole = v === 1 && typeof server === 'string' && typeof environment === 'string' && Number.isSafeInteger(generation);
    return isWhole ? { v, server, environment, generation } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

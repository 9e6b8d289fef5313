import { CoppiceError, type EnvironmentId, type NodeName, nodeNamePattern, type SnapshotId } from '@coppice/model';
import type { VolumeRef } from './volumes.ts';

const environmentPattern = /^e_[a-z0-9_-]{1,60}$/;
const snapshotPattern = /^b_[a-z0-9_-]{1,60}$/;
const keptPrefix = '.kept-';
/** What comes after the `~` of a detached folder. */
const detachmentPattern = /^[a-z0-9_-]{1,60}$/;
const encodedPattern = /^(?:[A-Za-z0-9_-]|%[0-9A-F]{2})(?:[A-Za-z0-9._-]|%[0-9A-F]{2})*$/;
const maxFolderNameBytes = 255;

/** The folder that holds an environment's set. Throws `volume-failed` for what is no id. */
export function setFolderName(environment: EnvironmentId): string {
  if (!environmentPattern.test(environment))
    throw new CoppiceError('volume-failed', `not the id of an environment: ${quoted(environment)}`);
  return environment;
}

/** The environment whose set a folder would hold, or undefined where its name is no id. */
export function environmentOfFolder(name: string): EnvironmentId | undefined {
  return environmentPattern.test(name) ? (name as EnvironmentId) : undefined;
}

/** The folder that holds a kept copy. Throws `volume-failed` for what is no id. */
export function snapshotFolderName(id: SnapshotId): string {
  if (!snapshotPattern.test(id)) throw new CoppiceError('volume-failed', `not the id of a kept copy: ${quoted(id)}`);
  return `${keptPrefix}${id}`;
}

/** The kept copy that a folder would hold, or undefined where its name is none's. */
export function snapshotOfFolder(name: string): SnapshotId | undefined {
  const id = name.slice(keptPrefix.length);
  return name.startsWith(keptPrefix) && snapshotPattern.test(id) ? (id as SnapshotId) : undefined;
}

/** Folder of a node, or of a detached one, below the data of its set. Throws `volume-failed`. */
export function nodeFolder(name: string): string {
  if (nodeOfFolder(name) === undefined) throw new CoppiceError('volume-failed', `not the name of a node: ${quoted(name)}`);
  return name;
}

/** Throws `volume-failed` for what cannot be the generation of data that replaces other. */
export function checkGeneration(generation: number): void {
  if (Number.isSafeInteger(generation) && generation >= 1) return;
  throw new CoppiceError('volume-failed', `not a generation that replaces another: ${generation}`, { hint: 'whole numbers from 1' });
}

/** Folder of a volume below the data of its set: `<node>/<volume>`, both checked. Throws `volume-failed`. */
export function volumeFolder({ node, volume }: Omit<VolumeRef, 'environment'>): { readonly node: string; readonly volume: string } {
  if (!nodeNamePattern.test(node)) throw new CoppiceError('volume-failed', `not the name of a node: ${quoted(node)}`);
  if (volume === '' || !volume.isWellFormed()) throw new CoppiceError('volume-failed', `not the name of a volume: ${quoted(volume)}`);
  const name = encodeVolumeName(volume);
  if (name.length > maxFolderNameBytes) throw new CoppiceError('volume-failed', `the name of a volume is too long: ${quoted(volume)}`);
  return { node, volume: name };
}

/**
 * A volume's name as one folder name: letters, digits, `_`, `-` and inner dots stand for themselves, every other byte of its UTF-8 is `%XX`.
 * Reversible, so different names never share a folder, and the result is never hidden, `.`, `..` or a path.
 */
export function encodeVolumeName(volume: string): string {
  let text = '';
  for (const byte of Buffer.from(volume, 'utf8')) {
    const character = String.fromCharCode(byte);
    const plain = /[A-Za-z0-9_-]/.test(character) || (character === '.' && text !== '');
    text += plain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

/** The volume's name that a folder name stands for, or undefined where `encodeVolumeName` would never make it. */
export function decodeVolumeName(folder: string): string | undefined {
  if (!encodedPattern.test(folder)) return undefined;
  const bytes = [...folder.matchAll(/%([0-9A-F]{2})|./g)].map(([plain, hex]) =>
    hex === undefined ? plain.charCodeAt(0) : Number.parseInt(hex, 16),
  );
  const volume = Buffer.from(bytes).toString('utf8');
  return encodeVolumeName(volume) === folder ? volume : undefined;
}

/** The node, or detached one (`NODE~ID`), that a folder stands for, or undefined. */
export function nodeOfFolder(name: string): NodeName | undefined {
  const [node = '', ...detachment] = name.split('~');
  const isDetachment = detachment.length === 0 || (detachment.length === 1 && detachmentPattern.test(detachment[0] ?? ''));
  return nodeNamePattern.test(node) && isDetachment ? (name as NodeName) : undefined;
}

/** `uid:gid` in numbers. Throws `volume-failed`. */
export function parseOwner(user: string): { readonly uid: number; readonly gid: number } {
  const match = /^([0-9]{1,9}):([0-9]{1,9})$/.exec(user);
  if (match === null) throw new CoppiceError('volume-failed', `not a numeric uid:gid: ${quoted(user)}`);
  return { uid: Number(match[1]), gid: Number(match[2]) };
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}

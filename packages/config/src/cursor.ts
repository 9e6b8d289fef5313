import type { SourcePosition } from '@coppice/model';
import type { Place } from './place.ts';

/** A value of the validated file together with its key and its place. */
export interface Cursor<T> {
  readonly name: string;
  readonly value: T;
  readonly place: Place;
}

/** The value below a key; undefined where there is none or it is null. */
export function child<T extends object, K extends keyof T & string>(cursor: Cursor<T>, key: K): Cursor<NonNullable<T[K]>> | undefined {
  if (!Object.hasOwn(cursor.value, key)) return undefined;
  const value = cursor.value[key];
  if (value === undefined || value === null) return undefined;
  return { name: key, value, place: cursor.place.children.get(key) ?? cursor.place };
}

/** All entries of a map, in the order of the file. */
export function entries<T>(cursor: Cursor<Readonly<Record<string, T>>> | undefined): Cursor<T>[] {
  if (cursor === undefined) return [];
  return Object.entries(cursor.value).map(([name, value]) => ({ name, value, place: cursor.place.children.get(name) ?? cursor.place }));
}

/** All entries of a list; each is named by its index. */
export function items<T>(cursor: Cursor<readonly T[]> | undefined): Cursor<T>[] {
  if (cursor === undefined) return [];
  return cursor.value.map((value, index) => ({
    name: String(index),
    value,
    place: cursor.place.children.get(String(index)) ?? cursor.place,
  }));
}

/** The same place with a value that was narrowed. */
export function narrowed<T>(cursor: Cursor<unknown>, value: T): Cursor<T> {
  return { name: cursor.name, value, place: cursor.place };
}

/** Where the value stands. */
export function valueAt(cursor: Cursor<unknown>): SourcePosition {
  return cursor.place.value;
}

/** Where the key stands. */
export function keyAt(cursor: Cursor<unknown>): SourcePosition {
  return cursor.place.key;
}

/** A scalar as text, the way it was written: `1.10` stays `1.10`. */
export function scalarText(cursor: Cursor<string | number | boolean>): string {
  return typeof cursor.value === 'string' ? cursor.value : (cursor.place.written ?? String(cursor.value));
}

/**
 * What a JSON value is made of, for comparing whole shapes: the names of primitive types, the keys of objects, and of an array the shape
 * of its first item (all have to be alike in their keys).
 */
export function shapeOf(value: unknown): unknown {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value !== 'object') return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shapeOf(item)]));
}

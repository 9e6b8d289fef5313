/**
 * A relative path in its plain form: no empty or `.` parts, `.` for the folder itself. Undefined where it is absolute, leads out
 * by `..`, or holds a backslash.
 */
export function insidePath(path: string): string | undefined {
  if (path.startsWith('/') || path.includes('\\')) return undefined;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) return undefined;
  return parts.length === 0 ? '.' : parts.join('/');
}

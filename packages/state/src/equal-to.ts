/** A `WHERE` clause for the columns that shall have a value, with its parameters; empty where none shall. Column names are ours, never input. */
export function equalTo(columns: Readonly<Record<string, string | undefined>>): {
  readonly where: string;
  readonly parameters: Readonly<Record<string, string>>;
} {
  const wanted = Object.entries(columns).filter((column): column is [string, string] => column[1] !== undefined);
  const where = wanted.length === 0 ? '' : `WHERE ${wanted.map(([name]) => `${name} = @${name}`).join(' AND ')}`;
  return { where, parameters: Object.fromEntries(wanted) };
}

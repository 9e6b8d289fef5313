/** The same data with `{name}` replaced in every string by the value of that name; braces around other words stay as they are. */
export function fillPlaceholders<T>(data: T, values: Readonly<Record<string, string>>): T {
  const names = Object.keys(values);
  if (names.length === 0) return data;
  const placeholder = new RegExp(`\\{(${names.join('|')})\\}`, 'g');
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replace(placeholder, (whole, name: string) => values[name] ?? whole);
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item)]));
    return value;
  };
  return fill(data) as T;
}
